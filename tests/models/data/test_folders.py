"""Faces in folders: class trees and FER+ folders, whole and damaged."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens_models.data import image_folder, images
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.data.fer2013 import ferplus_folder
from cuelens_models.data.load import load, load_held_out
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
    assert len(label(faces, "ferplus8").indices) == 4
    assert len(label(faces, "fer7").indices) == 3


def test_pictures_of_any_size_and_colour_become_grey_faces(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    cv2.imwrite(str(tmp_path / "happy" / "large.png"), np.full((200, 200, 3), (10, 20, 30), np.uint8))
    cv2.imwrite(str(tmp_path / "happy" / "small.png"), np.full((20, 20), 99, np.uint8))
    faces = image_folder.read(tmp_path)
    assert faces.pixels.shape == (2, 48, 48)
    # Decoders differ by one level in the luminance of a colour.
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
    ("damage", "words"),
    [
        (break_label, "line 2"),
        (lambda folder: (folder / "fer0000001.png").unlink(), "fer0000001.png"),
        (lambda folder: (folder / "fer0000001.png").write_bytes(b"no picture"), "fer0000001.png"),
        (lambda folder: (folder / "label.csv").write_text(""), "names no images"),
        (lambda folder: (folder / "label.csv").write_text("only-a-name.png\n"), "line 1"),
        (lambda folder: (folder / "label.csv").write_bytes(b"\xff\xfe\x00"), "label.csv"),
    ],
)
def test_a_damaged_ferplus_folder_is_one_sentence(tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
    ferplus_part(tmp_path / "part", 3, 0)
    damage(tmp_path / "part")
    with pytest.raises(BadInput, match=words):
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


def test_a_class_folder_that_is_no_label_is_named(tmp_path: Path) -> None:
    class_tree(tmp_path / "train", {"happy": 20, "bored": 1})
    for read in (load, load_held_out):
        for place in (tmp_path / "train", tmp_path):
            with pytest.raises(BadInput, match=r"class folder .*bored: 'bored' is no expression"):
                read(place)


def test_what_a_reader_should_know_of_a_tree_is_said(tmp_path: Path) -> None:
    class_tree(tmp_path, {"happy": 3, "Happy": 2, "joy": 1, "sad": 20, "fear": 0})
    (tmp_path / "sad" / "more.txt").write_text("no picture")
    (tmp_path / "sad" / "old.gif").write_bytes(b"GIF89a")
    (tmp_path / "sad" / ".hidden.png").write_bytes(b"the rest of a copy")
    expected = [
        f"{tmp_path / 'fear'} holds no pictures",
        f"{tmp_path / 'sad'} also holds what is read as no picture: 1 .gif, 1 .txt",
        f"{tmp_path}: Happy and happy and joy are all read as happy",
    ]
    assert image_folder.remarks(tmp_path) == expected
    assert list(load(tmp_path).notes)[1:] == expected
    data = load_held_out(tmp_path)
    assert list(data.notes)[1:] == expected
    assert len(data.faces) == 26


@pytest.mark.parametrize(
    ("picture_of", "grey"),
    [
        pytest.param(lambda: np.full((60, 50), 100 * 257, np.uint16), {100}, id="16 bits"),
        pytest.param(lambda: np.full((60, 50, 4), (0, 0, 255, 0), np.uint8), {76}, id="red, and transparent"),
        pytest.param(lambda: np.full((300, 20, 3), (255, 255, 255), np.uint8), {255}, id="colour, tall"),
    ],
)
def test_pictures_of_any_depth_become_8_bits_of_luminance(
    tmp_path: Path, picture_of: Callable[[], np.ndarray], grey: set[int]
) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), picture_of())
    face = images.read(tmp_path / "x.png")
    assert (face.shape, face.dtype) == ((48, 48), np.uint8)
    assert set(np.unique(face).tolist()) == grey


def test_a_picture_is_turned_upright_as_its_exif_tag_says(tmp_path: Path) -> None:
    lying = np.zeros((96, 96), np.uint8)
    lying[:, :48] = 255
    _, packed = cv2.imencode(".jpg", lying)
    # Orientation 6: the camera was turned, so the left of what it stored is the top of the scene.
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = packed.tobytes()
    segment = b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag
    (tmp_path / "x.jpg").write_bytes(data[:2] + segment + data[2:])
    face = images.read(tmp_path / "x.jpg")
    assert face[:20].min() > 200
    assert face[28:].max() < 50
