from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens_models.data.faces import Faces, concatenate
from cuelens_models.data.load import FaceData, besides, load, load_held_out
from cuelens_models.errors import BadInput

Make = Callable[[int, int], Faces]


def save(path: Path, faces: Faces) -> Path:
    np.savez(path, pixels=faces.pixels, emotion=faces.emotion, votes=faces.votes)
    return path


def contents(faces: Faces) -> set[bytes]:
    return {face.tobytes() for face in faces.pixels}


def test_the_parts_of_a_folder_are_found_by_their_names(synthetic_npz: Path) -> None:
    data = load(synthetic_npz)
    assert (len(data.training), len(data.inner), len(data.held_out)) == (216, 24, 120)
    assert (data.held_out_name, data.name, data.notes) == ("publictest", synthetic_npz.name, ())


@pytest.mark.parametrize(
    ("names", "held_out"),
    [
        (("fer2013_training", "fer2013_publictest"), "publictest"),
        (("train", "valid"), "publictest"),
        (("Train", "VALIDATION"), "publictest"),
        (("train", "test"), "privatetest"),
        (("my-training-faces", "my-privatetest-faces"), "privatetest"),
    ],
)
def test_part_names_are_understood(tmp_path: Path, made_up_faces: Make, names: tuple[str, str], held_out: str) -> None:
    save(tmp_path / f"{names[0]}.npz", made_up_faces(40, 1))
    save(tmp_path / f"{names[1]}.npz", made_up_faces(16, 2))
    data = load(tmp_path)
    assert (data.held_out_name, len(data.held_out)) == (held_out, 16)


def test_publictest_is_reported_on_before_privatetest(tmp_path: Path, made_up_faces: Make) -> None:
    for number, (name, count) in enumerate({"training": 40, "publictest": 16, "privatetest": 24}.items()):
        save(tmp_path / f"{name}.npz", made_up_faces(count, number))
    assert len(load(tmp_path).held_out) == 16


def disjoint(data: FaceData) -> bool:
    splits = [contents(data.training), contents(data.inner), contents(data.held_out)]
    return sum(map(len, splits)) == len(set.union(*splits))


def test_the_splits_are_disjoint_and_always_the_same(synthetic_npz: Path) -> None:
    first, second = load(synthetic_npz), load(synthetic_npz)
    assert disjoint(first)
    for name in ("training", "inner", "held_out"):
        np.testing.assert_array_equal(getattr(first, name).pixels, getattr(second, name).pixels)


def test_a_face_keeps_its_votes_through_the_splits(synthetic_npz: Path, made_up_faces: Make) -> None:
    whole = made_up_faces(240, 1)
    votes = {face.tobytes(): ballot.tobytes() for face, ballot in zip(whole.pixels, whole.votes, strict=True)}
    data = load(synthetic_npz)
    for part in (data.training, data.inner):
        for face, ballot in zip(part.pixels, part.votes, strict=True):
            assert votes[face.tobytes()] == ballot.tobytes()


def test_repeats_of_held_out_faces_leave_training_and_it_is_said(tmp_path: Path, made_up_faces: Make) -> None:
    test = made_up_faces(16, 2)
    save(tmp_path / "train.npz", concatenate(made_up_faces(40, 1), test.take(np.arange(5)), test.take(np.arange(2))))
    save(tmp_path / "publictest.npz", test)
    data = load(tmp_path)
    assert disjoint(data)
    assert (len(data.training) + len(data.inner), len(data.held_out)) == (40, 16)
    assert data.notes == ("7 training faces also stand in publictest and are left out",)


def test_one_part_only_has_a_seeded_fifth_held_out_and_it_is_said(tmp_path: Path, made_up_faces: Make) -> None:
    path = save(tmp_path / "faces.npz", made_up_faces(100, 1))
    data, again = load(path), load(path)
    assert (len(data.held_out), len(data.inner), len(data.training)) == (20, 8, 72)
    assert disjoint(data)
    assert data.held_out_name == "a seeded fifth"
    assert len(data.notes) == 1
    assert "a seeded fifth (20 faces) is held out" in data.notes[0]
    np.testing.assert_array_equal(data.held_out.pixels, again.held_out.pixels)


def test_a_face_of_the_seeded_fifth_is_never_trained_on_even_if_it_is_there_twice(
    tmp_path: Path, made_up_faces: Make
) -> None:
    faces = made_up_faces(100, 1)
    data = load(save(tmp_path / "faces.npz", concatenate(faces, faces.take(np.arange(50)))))
    assert len(contents(data.held_out) & (contents(data.training) | contents(data.inner))) == 0


def test_a_face_of_the_inner_split_is_never_learned_from_even_if_it_is_there_twice(
    tmp_path: Path, made_up_faces: Make
) -> None:
    faces = made_up_faces(100, 1)
    save(tmp_path / "train.npz", concatenate(faces, faces.take(np.arange(50))))
    save(tmp_path / "test.npz", made_up_faces(20, 2))
    data = load(tmp_path)
    assert len(contents(data.inner) & contents(data.training)) == 0


def test_two_files_for_one_part_are_both_used_or_refused(tmp_path: Path, made_up_faces: Make) -> None:
    for number, name in enumerate(("train1", "train2", "test")):
        save(tmp_path / f"{name}.npz", made_up_faces(40, number))
    try:
        data = load(tmp_path)
    except BadInput:
        return
    count = len(data.training) + len(data.inner)
    assert count == 80


def test_a_csv_is_taken_by_its_path_and_in_its_folder(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [
        f"{number % 7},{' '.join(map(str, random.integers(0, 256, 2304)))},{usage}"
        for number, usage in enumerate(["Training"] * 30 + ["PublicTest"] * 10)
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    for place in (path, tmp_path):
        data = load(place)
        assert (len(data.training), len(data.inner), len(data.held_out)) == (27, 3, 10)


def same_faces(folder: Path, make: Make, *names: str) -> Path:
    for name in names:
        save(folder / f"{name}.npz", make(40, 1))
    return folder


def header_only(path: Path) -> Path:
    path.write_text("emotion,pixels,Usage\n")
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda f, m: f / "absent", "does not exist", id="missing"),
        pytest.param(lambda f, m: f, "no face data", id="an empty folder"),
        pytest.param(lambda f, m: save(f / "holiday.npz", m(40, 1)).parent, "no face data", id="parts without names"),
        pytest.param(lambda f, m: (f / "x.npz", (f / "x.npz").touch())[0], "empty", id="an empty npz"),
        pytest.param(lambda f, m: (f / "x.csv", (f / "x.csv").touch())[0], "empty", id="an empty csv"),
        pytest.param(lambda f, m: (f / "x.txt", (f / "x.txt").write_text("x"))[0], "no known kind", id="a text"),
        pytest.param(lambda f, m: header_only(f / "fer2013.csv"), "no faces", id="a csv with a header only"),
        pytest.param(lambda f, m: header_only(f / "fer2013.csv").parent, "no faces", id="that csv in a folder"),
        pytest.param(lambda f, m: save(f / "x.npz", m(16, 1)), "too few", id="few faces"),
        pytest.param(lambda f, m: save(f / "x.npz", m(0, 1)), "too few", id="no faces"),
        pytest.param(
            lambda f, m: same_faces(f, m, "publictest", "privatetest"),
            "no training part",
            id="no training part",
        ),
        pytest.param(
            lambda f, m: same_faces(f, m, "train", "test"),
            "too few",
            id="nothing in training but repeats",
        ),
    ],
)
def test_data_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, made_up_faces: Make, make: Callable[[Path, Make], Path], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        load(make(tmp_path, made_up_faces))
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_part_only_is_measured_whole_and_it_is_said(tmp_path: Path, made_up_faces: Make) -> None:
    faces = made_up_faces(5, 1)
    data = load_held_out(save(tmp_path / "mine.npz", faces))
    np.testing.assert_array_equal(data.faces.pixels, faces.pixels)
    assert (data.name, data.part) == ("mine.npz", "mine.npz")
    (note,) = data.notes
    assert note == "mine.npz has one part only: all 5 faces are used, and flatter a model that learned from them"


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (("train", "valid", "test"), "publictest"),
        (("train", "test"), "privatetest"),
        (("valid", "test"), "publictest"),
    ],
)
def test_the_held_out_part_is_measured_alone(
    tmp_path: Path, made_up_faces: Make, names: tuple[str, ...], part: str
) -> None:
    for number, name in enumerate(names):
        save(tmp_path / f"{name}.npz", made_up_faces(8 + number, number))
    data = load_held_out(tmp_path)
    expected = {"publictest": "valid", "privatetest": "test"}[part]
    assert (data.part, len(data.faces), data.notes) == (part, 8 + names.index(expected), ())


def test_the_part_that_is_alone_in_a_folder_keeps_its_name(tmp_path: Path, made_up_faces: Make) -> None:
    save(tmp_path / "test.npz", made_up_faces(8, 1))
    assert load_held_out(tmp_path).part == "privatetest"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda f, m: f / "absent", "does not exist", id="missing"),
        pytest.param(lambda f, m: f, "no face data", id="an empty folder"),
        pytest.param(lambda f, m: save(f / "x.npz", m(0, 1)), "holds no faces", id="no faces"),
        pytest.param(lambda f, m: header_only(f / "fer2013.csv"), "holds no faces", id="a csv with a header only"),
        pytest.param(
            lambda f, m: (save(f / "train.npz", m(8, 1)), save(f / "test.npz", m(0, 1)))[0].parent,
            "its part privatetest holds no faces",
            id="an empty part",
        ),
    ],
)
def test_what_cannot_be_measured_on_is_refused_in_one_sentence(
    tmp_path: Path, made_up_faces: Make, make: Callable[[Path, Make], Path], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        load_held_out(make(tmp_path, made_up_faces))
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_repeats_of_every_held_out_part_leave_training(tmp_path: Path, made_up_faces: Make) -> None:
    publictest, privatetest = made_up_faces(16, 2), made_up_faces(24, 3)
    repeated = concatenate(publictest.take(np.arange(3)), privatetest.take(np.arange(5)))
    save(tmp_path / "training.npz", concatenate(made_up_faces(60, 1), repeated))
    save(tmp_path / "publictest.npz", publictest)
    save(tmp_path / "privatetest.npz", privatetest)
    data = load(tmp_path)
    assert not (contents(data.training) | contents(data.inner)) & (contents(publictest) | contents(privatetest))
    assert data.notes == (
        "5 training faces also stand in privatetest and are left out",
        "3 training faces also stand in publictest and are left out",
    )


def test_faces_of_no_part_that_a_model_is_judged_on_come_back_besides(tmp_path: Path, made_up_faces: Make) -> None:
    parts = {"training": made_up_faces(60, 1), "publictest": made_up_faces(16, 2), "privatetest": made_up_faces(24, 3)}
    for name, faces in parts.items():
        save(tmp_path / f"{name}.npz", faces)
    fresh = made_up_faces(8, 4)
    data = load(tmp_path)
    more = besides(save(tmp_path / "more.npz", concatenate(parts["publictest"], fresh, parts["privatetest"])), data)
    assert contents(more) == contents(fresh)
    with pytest.raises(BadInput, match=r"no face but those that .* is judged on"):
        besides(tmp_path / "privatetest.npz", data)


def test_other_faces_of_the_same_bytes_are_no_repeats(tmp_path: Path, made_up_faces: Make) -> None:
    training = made_up_faces(60, 1)
    save(tmp_path / "training.npz", training)
    save(tmp_path / "publictest.npz", replace(training, pixels=training.pixels[:, ::-1]))
    data = load(tmp_path)
    assert (len(data.training) + len(data.inner), data.notes) == (60, ())


def test_a_part_that_nothing_can_read_is_named_and_not_passed_over(tmp_path: Path, made_up_faces: Make) -> None:
    save(tmp_path / "train.npz", made_up_faces(60, 1))
    (tmp_path / "test" / "hapy").mkdir(parents=True)
    for opened in (load, load_held_out):
        with pytest.raises(BadInput, match="test holds neither class folders"):
            opened(tmp_path)


def test_only_the_part_that_is_measured_is_looked_at(tmp_path: Path) -> None:
    for part, count in (("train", 6), ("test", 2)):
        (tmp_path / part / "happy").mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(tmp_path / part / "happy" / f"{number}.png"), np.full((60, 60), 40 * number, np.uint8))
    heights: list[int] = []

    def face_of(picture: np.ndarray) -> np.ndarray:
        heights.append(len(picture))
        return picture[:48, :48]

    data = load_held_out(tmp_path, face_of)
    assert (data.part, len(data.faces), heights) == ("privatetest", 2, [60, 60])


def test_data_of_one_name_is_told_apart_by_its_digest(synthetic_npz: Path) -> None:
    data = load(synthetic_npz)
    votes = data.inner.votes.copy()
    votes[0, 0] += 1
    other = replace(data, inner=replace(data.inner, votes=votes))
    assert data.digest() == load(synthetic_npz).digest() != other.digest()
