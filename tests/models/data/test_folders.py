"""Faces in folders: class trees and FER+ folders, whole and damaged."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens_models.data import ferplus_folder, image_folder
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.data.load import load
from cuelens_models.data.protocols import label
from cuelens_models.errors import BadInput


def picture(seed: int, side: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (side, side)).astype(np.uint8)


def class_tree(folder: Path, words: dict[str, int], first: int = 0) -> None:
    for word, count in words.items():
        (folder / word).mkdir(parents=True)
        for n in range(count):
            cv2.imwrite(str(folder / word / f"{n:03}.png"), picture(first))
            first += 1


def ferplus_part(folder: Path, count: int, first: int) -> None:
    folder.mkdir(parents=True)
    lines = []
    for n in range(first, first + count):
        name = f"fer{n:07d}.png"
        cv2.imwrite(str(folder / name), picture(n))
        ballot = [0] * 10
        ballot[n % 8] = 9
        ballot[9] = 1
        lines.append(f'{name},"(0, 0, 48, 48)",{",".join(map(str, ballot))}')
    (folder / "label.csv").write_text("\n".join(lines) + "\n")


def test_a_class_tree_gives_each_picture_its_folders_label(tmp_path: Path) -> None:
    class_tree(tmp_path, {"happiness": 2, "Sadness": 1, "contempt": 1})
    (tmp_path / "happiness" / "notes.txt").write_text("no picture")
    faces = image_folder.read(tmp_path)
    # Folders come in the order of their names: S before c before h.
    assert np.array_equal(faces.pixels, np.stack([picture(n) for n in (2, 3, 0, 1)]))
    assert faces.emotion.tolist() == [EMOTIONS.index("sad"), -1, EMOTIONS.index("happy"), EMOTIONS.index("happy")]
    assert [VOTES[place] for place in faces.votes.argmax(axis=1)] == ["sad", "contempt", "happy", "happy"]
    assert (faces.votes.sum(axis=1) == 10).all()
    assert len(label(faces, "ferplus8").chosen) == 4
    assert len(label(faces, "fer7").chosen) == 3


def test_pictures_of_any_size_and_colour_become_grey_faces(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    cv2.imwrite(str(tmp_path / "happy" / "large.png"), np.full((200, 200, 3), (10, 20, 30), np.uint8))
    cv2.imwrite(str(tmp_path / "happy" / "small.png"), np.full((20, 20), 99, np.uint8))
    faces = image_folder.read(tmp_path)
    assert faces.pixels.shape == (2, 48, 48)
    # Decoders differ by a level in what grey they make of a colour.
    assert sorted(np.unique(faces.pixels).tolist()) in ([21, 99], [22, 99])


def test_a_tree_with_parts_is_opened_part_by_part(tmp_path: Path) -> None:
    class_tree(tmp_path / "train", {"happy": 20, "sad": 20})
    class_tree(tmp_path / "test", {"happy": 5, "sad": 5}, first=100)
    data = load(tmp_path)
    assert (len(data.training) + len(data.inner), len(data.held_out), data.held_out_name) == (40, 10, "privatetest")


def test_a_tree_without_parts_has_a_seeded_fifth_held_out(tmp_path: Path) -> None:
    class_tree(tmp_path, {"happy": 25, "sad": 25})
    data = load(tmp_path)
    assert len(data.held_out) == 10
    assert "a seeded fifth" in data.notes[0]


def test_a_ferplus_folder_is_read_as_its_labels_say(tmp_path: Path) -> None:
    ferplus_part(tmp_path / "FER2013Train", 3, 5)
    faces = ferplus_folder.read(tmp_path / "FER2013Train")
    assert np.array_equal(faces.pixels, np.stack([picture(n) for n in (5, 6, 7)]))
    assert faces.votes.argmax(axis=1).tolist() == [5, 6, 7]
    assert faces.votes.sum(axis=1).tolist() == [10, 10, 10]
    assert faces.emotion.tolist() == [-1, -1, -1]


def test_ferplus_parts_are_found_by_their_own_names(tmp_path: Path) -> None:
    ferplus_part(tmp_path / "FER2013Train", 40, 0)
    ferplus_part(tmp_path / "FER2013Valid", 8, 100)
    ferplus_part(tmp_path / "FER2013Test", 8, 200)
    data = load(tmp_path)
    assert data.held_out_name == "publictest"
    assert np.array_equal(data.held_out.pixels[0], picture(100))


def break_label(folder: Path) -> None:
    text = (folder / "label.csv").read_text().splitlines()
    text[1] = text[1].replace(",9,", ",300,").replace(",9", ",300")
    (folder / "label.csv").write_text("\n".join(text))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (break_label, "line 2"),
        (lambda folder: (folder / "fer0000001.png").unlink(), "fer0000001.png"),
        (lambda folder: (folder / "fer0000001.png").write_bytes(b"no picture"), "fer0000001.png"),
        (lambda folder: (folder / "label.csv").write_text(""), "names no images"),
        (lambda folder: (folder / "label.csv").write_text("only-a-name.png\n"), "line 1"),
        (lambda folder: (folder / "label.csv").write_bytes(b"\xff\xfe\x00"), "label.csv"),
    ],
)
def test_a_damaged_ferplus_folder_is_one_sentence(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    ferplus_part(tmp_path / "part", 3, 0)
    damage(tmp_path / "part")
    with pytest.raises(BadInput, match=said):
        ferplus_folder.read(tmp_path / "part")


@pytest.mark.parametrize("words", [{}, {"happy": 0}, {"happy": 3, "bored": 3}, {"people": 5}])
def test_a_folder_that_is_no_class_tree_is_bad_input(tmp_path: Path, words: dict[str, int]) -> None:
    class_tree(tmp_path, words)
    with pytest.raises(BadInput) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    class_tree(tmp_path, {"happy": 1})
    (tmp_path / "happy" / "empty.jpg").write_bytes(b"")
    with pytest.raises(BadInput, match=r"empty\.jpg is no image"):
        image_folder.read(tmp_path)


def test_faces_keep_their_type(tmp_path: Path) -> None:
    class_tree(tmp_path, {"fear": 2})
    faces = image_folder.read(tmp_path)
    assert isinstance(faces, Faces)
    assert (faces.pixels.dtype, faces.emotion.dtype, faces.votes.dtype) == (np.uint8, np.int8, np.uint8)
