import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.data.classes import parse
from cuelens_models.data.faces import Faces
from cuelens_models.data.fer2013 import kaggle_csv
from cuelens_models.data.load import load_held_out
from cuelens_models.errors import BadInput

HEADER = ["emotion", "pixels", "Usage"]
GREY = " ".join(["7"] * 2304)
VOTE_COLUMNS = "neutral happiness surprise sadness anger disgust fear contempt unknown NF"
BALLOT_HEADER = ["Usage", "Image name", *VOTE_COLUMNS.split()]


@pytest.fixture
def parts(made_up_faces: Callable[[int, int], Faces]) -> dict[str, Faces]:
    parts = {"Training": made_up_faces(16, 1), "PublicTest": made_up_faces(9, 2), "PrivateTest": made_up_faces(8, 3)}
    # A FER2013 row has a label always; FER+ gives contempt to faces that had another one.
    return {usage: Faces(faces.pixels, np.maximum(faces.emotion, 0), faces.votes) for usage, faces in parts.items()}


def write(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def write_faces(path: Path, parts: dict[str, Faces]) -> None:
    rows = [
        [emotion, " ".join(map(str, pixels.ravel())), usage]
        for usage, faces in parts.items()
        for pixels, emotion in zip(faces.pixels, faces.emotion, strict=True)
    ]
    write(path, [HEADER, *rows])


def write_ballots(path: Path, parts: dict[str, Faces], *, nameless: tuple[int, ...] = ()) -> None:
    rows = [[usage, *map(int, ballot)] for usage, faces in parts.items() for ballot in faces.votes]
    named = [
        [usage, "" if number in nameless else f"fer{number:07d}.png", *ballot]
        for number, (usage, *ballot) in enumerate(rows)
    ]
    write(path, [BALLOT_HEADER, *named])


def same(result: Faces, expected: Faces) -> None:
    for name in ("pixels", "emotion", "votes"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name), err_msg=name)
        assert getattr(result, name).dtype == getattr(expected, name).dtype


def test_faces_written_as_kaggle_does_are_read_back_part_by_part(tmp_path: Path, parts: dict[str, Faces]) -> None:
    write_faces(tmp_path / "fer2013.csv", parts)
    result = kaggle_csv.read(tmp_path / "fer2013.csv")
    assert set(result) == {"training", "publictest", "privatetest"}
    for usage, faces in parts.items():
        without_votes = Faces(faces.pixels, faces.emotion, np.zeros_like(faces.votes))
        same(result[usage.lower()], without_votes)


def test_ballots_are_joined_by_position(tmp_path: Path, parts: dict[str, Faces]) -> None:
    write_faces(tmp_path / "fer2013.csv", parts)
    write_ballots(tmp_path / "fer2013new.csv", parts)
    result = kaggle_csv.read(tmp_path / "fer2013.csv")
    for usage, faces in parts.items():
        same(result[usage.lower()], faces)


def test_a_ballot_without_an_image_name_takes_its_face_out(tmp_path: Path, parts: dict[str, Faces]) -> None:
    write_faces(tmp_path / "fer2013.csv", parts)
    write_ballots(tmp_path / "fer2013new.csv", parts, nameless=(0, 5, 17))
    result = kaggle_csv.read(tmp_path / "fer2013.csv")
    same(result["training"], parts["Training"].take(np.delete(np.arange(16), [0, 5])))
    same(result["publictest"], parts["PublicTest"].take(np.delete(np.arange(9), [1])))
    same(result["privatetest"], parts["PrivateTest"])


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(["7", GREY, "Training"], id="emotion over 6"),
        pytest.param(["-1", GREY, "Training"], id="emotion under 0"),
        pytest.param(["bored", GREY, "Training"], id="a word that is no expression"),
        pytest.param(["contempt", GREY, "Training"], id="an expression that FER2013 lacks"),
        pytest.param(["0", GREY[:-2], "Training"], id="a pixel missing"),
        pytest.param(["0", GREY + " 7", "Training"], id="a pixel too many"),
        pytest.param(["0", GREY[:-1] + "256", "Training"], id="a pixel over 255"),
        pytest.param(["0", GREY[:-1] + "-1", "Training"], id="a pixel under 0"),
        pytest.param(["0", GREY[:-1] + "7.5", "Training"], id="half a grey level"),
        pytest.param(["0", GREY, "Testing"], id="an unknown usage"),
        pytest.param(["0", GREY], id="no usage"),
        pytest.param(["0"], id="an emotion alone"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: list[str]) -> None:
    path = tmp_path / "fer2013.csv"
    write(path, [HEADER, ["0", GREY, "Training"], ["3", GREY, "Training"], bad, ["0", GREY, "Training"]])
    with pytest.raises(BadInput, match=r"fer2013\.csv line 4: "):
        kaggle_csv.read(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"emotion,pixels\n", b"emotion,Usage\n", b"a letter\n", b"\xff\xfe\x00\x01", b"\0" * 100, b"x" * 300_000],
)
def test_a_file_that_is_not_kaggles_is_bad_input(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"fer2013\.csv"):
        kaggle_csv.read(path)


@pytest.mark.parametrize(("count", "numbers"), [(12, ("12", "16")), (0, ("0", "16"))])
def test_ballots_of_another_file_are_refused_with_both_counts(
    tmp_path: Path, parts: dict[str, Faces], count: int, numbers: tuple[str, str]
) -> None:
    training = {"Training": parts["Training"]}
    write_faces(tmp_path / "fer2013.csv", training)
    write_ballots(tmp_path / "fer2013new.csv", {"Training": parts["Training"].take(np.arange(count))})
    with pytest.raises(BadInput, match=rf"has {numbers[0]} rows and fer2013\.csv has {numbers[1]}"):
        kaggle_csv.read(tmp_path / "fer2013.csv")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("Usage,Image name\nTraining\n", id="one column"),
        pytest.param("Usage,Image name\n\n", id="a blank line"),
        pytest.param(f"header\nTraining,fer0.png{',x' * 10}\n", id="votes in words"),
        pytest.param(f"header\nTraining,fer0.png{',999' * 10}\n", id="votes over 255"),
        pytest.param(f"header\nTraining,fer0.png{',1' * 9}\n", id="nine votes"),
        pytest.param(
            f"{','.join(BALLOT_HEADER)}\nTraining,fer{'9' * 20}.png{',1' * 10}\n", id="a number too great for an image"
        ),
        pytest.param("header\n" + "x" * 200_000 + "\n", id="a field longer than csv takes"),
    ],
)
def test_a_damaged_ballot_file_is_bad_input(tmp_path: Path, content: str) -> None:
    write(tmp_path / "fer2013.csv", [HEADER, ["0", GREY, "Training"]])
    (tmp_path / "fer2013new.csv").write_text(content)
    with pytest.raises(BadInput, match=r"fer2013new\.csv"):
        kaggle_csv.read(tmp_path / "fer2013.csv")


def test_a_bad_ballot_is_named_by_its_line(tmp_path: Path, parts: dict[str, Faces]) -> None:
    write_faces(tmp_path / "fer2013.csv", parts)
    write_ballots(tmp_path / "fer2013new.csv", parts)
    lines = (tmp_path / "fer2013new.csv").read_text().splitlines()
    lines[6] = lines[6].rpartition(",")[0]
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match=r"fer2013new\.csv: line 7: 9 numbers, not 10"):
        kaggle_csv.read(tmp_path / "fer2013.csv")


def rows_of(parts: dict[str, Faces], order: tuple[int, ...] = (0, 1, 2)) -> list[list[str]]:
    """Return the rows of Kaggle's file, its three columns in an order."""
    rows = [
        (str(emotion), " ".join(map(str, pixels.ravel())), usage)
        for usage, faces in parts.items()
        for pixels, emotion in zip(faces.pixels, faces.emotion, strict=True)
    ]
    return [[row[place] for place in order] for row in rows]


def text_of(rows: Iterable[Iterable[str]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in rows)


@pytest.mark.parametrize(
    ("name", "header", "order"),
    [
        pytest.param("fer2013.csv", HEADER, (0, 1, 2), id="fer2013.csv"),
        pytest.param("icml_face_data.csv", ["emotion", " Usage", " pixels"], (0, 2, 1), id="icml_face_data.csv"),
        pytest.param("fer2013.csv", ["Emotion", "Pixels", "USAGE"], (0, 1, 2), id="other cases"),
        pytest.param("FER2013.CSV", HEADER, (0, 1, 2), id="a name in capitals"),
        pytest.param("train.csv", HEADER[:2], (0, 1), id="train.csv, without Usage"),
    ],
)
def test_every_table_of_kaggle_is_read(
    tmp_path: Path, parts: dict[str, Faces], name: str, header: list[str], order: tuple[int, ...]
) -> None:
    path = tmp_path / name
    path.write_text(text_of([header, *rows_of(parts, order)]))
    result = kaggle_csv.read(path)
    if len(header) == 2:
        assert set(result) == {"training"}
        expected = np.concatenate([faces.pixels for faces in parts.values()])
        np.testing.assert_array_equal(result["training"].pixels, expected)
    else:
        assert set(result) == {usage.lower() for usage in parts}
        for usage, faces in parts.items():
            np.testing.assert_array_equal(result[usage.lower()].pixels, faces.pixels)
            np.testing.assert_array_equal(result[usage.lower()].emotion, faces.emotion)
    held_out = result.get("publictest", result["training"])
    for data in (path, tmp_path):
        np.testing.assert_array_equal(load_held_out(data).faces.pixels, held_out.pixels)


@pytest.mark.parametrize(
    ("encoding", "separator", "end"),
    [
        pytest.param("utf-8-sig", ",", "\n", id="a byte-order mark"),
        pytest.param("utf-16", ",", "\r\n", id="UTF-16"),
        pytest.param("utf-8", ";", "\n", id="semicolons"),
        pytest.param("utf-8", "\t", "\r\n", id="tabs"),
        pytest.param("utf-8", " , ", "\n", id="spaces around all cells"),
        pytest.param("utf-8", ",", "\n\n", id="blank lines"),
    ],
)
def test_tables_are_read_as_spreadsheets_save_them(
    tmp_path: Path, parts: dict[str, Faces], encoding: str, separator: str, end: str
) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(text_of([HEADER, *rows_of(parts)], separator, end).encode(encoding))
    votes = [[usage, f"fer{n:07d}.png", *map(str, ballot)] for n, (usage, ballot) in enumerate(ballots_of(parts))]
    (tmp_path / "FER2013New.csv").write_bytes(text_of([BALLOT_HEADER, *votes], separator, end).encode(encoding))
    result = kaggle_csv.read(path)
    for usage, faces in parts.items():
        same(result[usage.lower()], faces)


def ballots_of(parts: dict[str, Faces]) -> list[tuple[str, NDArray[np.uint8]]]:
    return [(usage, ballot) for usage, faces in parts.items() for ballot in faces.votes]


@pytest.mark.parametrize("as_written", ["3", "3.0", "happy", "Happiness", "3_happy", "feliz"])
def test_emotions_are_numbers_or_words(tmp_path: Path, as_written: str) -> None:
    path = tmp_path / "fer2013.csv"
    grey = " ".join(["90"] * 2304)
    write(path, [HEADER, [as_written, grey, "Training"]])
    assert kaggle_csv.read(path, parse("feliz=happy"))["training"].emotion.tolist() == [3]


@pytest.mark.parametrize(
    ("level", "words"),
    [
        pytest.param("0.5", "divided by 255 already", id="divided"),
        pytest.param("-0.5", "scaled to -1 to 1 already", id="from -1 to 1"),
        pytest.param("2048", "have 12 bits", id="12 bits"),
        pytest.param("40000", "have 16 bits", id="16 bits"),
        pytest.param("7.5", "no whole numbers", id="half a level"),
        pytest.param("1e9", "go up to 1e", id="anything"),
        pytest.param("nan", "not all numbers", id="no number"),
        pytest.param("x", "", id="a letter"),
    ],
)
def test_levels_that_are_none_are_named_with_the_line(tmp_path: Path, level: str, words: str) -> None:
    path = tmp_path / "fer2013.csv"
    write(path, [HEADER, ["0", " ".join(["1" if "." in level else "9"] * 2303 + [level]), "Training"]])
    with pytest.raises(BadInput, match=rf"fer2013\.csv line 2: .*{words}"):
        kaggle_csv.read(path)


@pytest.mark.parametrize("pixels", ["[" + ", ".join(["90"] * 2304) + "]", " ".join(["90.0"] * 2304)])
def test_levels_are_read_from_lists_and_from_whole_floats(tmp_path: Path, pixels: str) -> None:
    write(tmp_path / "fer2013.csv", [HEADER, ["0", pixels, "Training"]])
    assert (kaggle_csv.read(tmp_path / "fer2013.csv")["training"].pixels == 90).all()


def test_a_set_without_a_bright_level_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "fer2013.csv", [HEADER, *[["0", " ".join(["0", "1"] * 1152), "Training"]] * 2])
    with pytest.raises(BadInput, match=r"no grey level in .*fer2013\.csv is over 1: they were divided by 255"):
        kaggle_csv.read(tmp_path / "fer2013.csv")
