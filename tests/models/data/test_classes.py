from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens_models.data.classes import label_of, parse
from cuelens_models.data.load import load, load_held_out
from cuelens_models.errors import BadInput


@pytest.mark.parametrize(
    ("name", "classes", "expected"),
    [
        ("happy", "", "happy"),
        ("Sadness", "", "sad"),
        ("0_angry", "", "angry"),
        ("3-happy", "", "happy"),
        ("06 Neutral", "", "neutral"),
        ("1.fear", "", "fear"),
        ("enojo", "enojo=angry", "angry"),
        ("Enojo", "ENOJO=anger", "angry"),
        ("2_enojo", "enojo=angry", "angry"),
        ("0", "0=angry,1=disgust", "angry"),
        ("a\u00f1o", "an\u0303o=sad", "sad"),
        ("happy", "happy=sad", "sad"),
        ("enojo", "", None),
        ("0", "", None),
        ("7happy", "", None),
    ],
)
def test_the_label_of_a_name(name: str, classes: str, expected: str | None) -> None:
    assert label_of(name, parse(classes)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("enojo", "'enojo' does not say what a class stands for"),
        ("=angry", "does not say"),
        ("enojo=bored", "'bored' is no expression"),
        ("enojo=angry,Enojo=sad", "cannot be both angry and sad"),
    ],
)
def test_what_says_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(text)


def tree(folder: Path, *names: str) -> Path:
    random = np.random.default_rng(len(folder.name))
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(24):
            cv2.imwrite(str(folder / name / f"{number}.png"), random.integers(0, 256, (48, 48), dtype=np.uint8))
    return folder


@pytest.mark.parametrize("parts", [("",), ("train", "test")])
def test_folders_with_foreign_names_are_read(tmp_path: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        tree(tmp_path / part, "enojo", "1_feliz")
    classes = parse("enojo=angry,feliz=happy")
    assert set(load(tmp_path, classes).training.emotion) == {0, 3}
    assert load_held_out(tmp_path, classes=classes).faces.emotion.tolist() == [3] * 24 + [0] * 24


@pytest.mark.parametrize("parts", [("",), ("train", "test")])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param(("enojo", "feliz"), "'enojo', 'feliz' are no expressions", id="none is known"),
        pytest.param(("enojo", "feliz", "sad"), "'enojo', 'feliz' are no expressions", id="one is known"),
        pytest.param(("happy", "triste"), "'triste' is no expression", id="one is not known"),
    ],
)
def test_all_unknown_folders_are_named_with_the_option(
    tmp_path: Path, parts: tuple[str, ...], names: tuple[str, ...], words: str
) -> None:
    for part in parts:
        tree(tmp_path / part, *names)
    for read in (load, load_held_out):
        with pytest.raises(BadInput, match=f"{words}.*--classes") as refused:
            read(tmp_path)
        assert "\n" not in str(refused.value)
