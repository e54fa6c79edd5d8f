"""The guard before a file is read: no reader waits for a pipe, or fills the memory from a device."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cuelens_models import regular_file
from cuelens_models.audit import findings
from cuelens_models.bundle import file, training_record
from cuelens_models.data import images, npz
from cuelens_models.data.fer2013 import ferplus_csv, kaggle_csv
from cuelens_models.errors import BadInput
from cuelens_models.zoo import pretrained, recipe

READERS: list[Callable[[Path], Any]] = [
    file.load,
    training_record.read,
    images.picture,
    npz.read,
    kaggle_csv.read,
    ferplus_csv.read,
    findings.read_names,
    recipe.read_tuned,
    pretrained.read,
]


@pytest.fixture(autouse=True)
def _deadline() -> Iterator[None]:
    """End a read that would never end."""

    def late(*_: object) -> None:
        raise TimeoutError("it still reads")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("reader", READERS, ids=[f"{reader.__module__}.{reader.__name__}" for reader in READERS])
@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device"])
def test_a_pipe_or_a_device_is_refused_in_a_sentence_before_it_is_read(
    tmp_path: Path, reader: Callable[[Path], Any], kind: str
) -> None:
    path = tmp_path / "input"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(BadInput, match="is a device or a pipe, no regular file") as caught:
        reader(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda path: path.write_bytes(b"12345678"), ""),
        (lambda path: path.write_bytes(b"123456789"), "is over 0 MB"),
        (lambda path: path.mkdir(), ""),
        (lambda path: None, ""),
        (lambda path: path.symlink_to(path), ""),
    ],
    ids=["small", "large", "a folder", "missing", "a loop of links"],
)
def test_what_speaks_against_a_path(tmp_path: Path, make: Callable[[Path], Any], fault: str) -> None:
    path = tmp_path / "input"
    make(path)
    assert regular_file.fault(path, 8) == fault


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    with path.open("wb") as sparse:
        sparse.truncate(300_000_000)
    with pytest.raises(BadInput, match="is over 256 MB"):
        file.load(path)


def test_a_name_that_no_file_can_have_is_left_to_the_reader() -> None:
    assert regular_file.fault(Path("a\0b")) == ""
