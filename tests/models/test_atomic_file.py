"""Files are written whole, and what is no file stays what it is."""

import os
import stat
import threading
from pathlib import Path

import pytest

from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import Unwritable


def test_a_link_is_replaced_and_its_file_left_alone(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    link.symlink_to(file)
    write_whole(link, b"new")
    assert not link.is_symlink()
    assert (link.read_bytes(), file.read_bytes()) == (b"new", b"old")
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_a_pipe_is_refused_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(Unwritable, match="pipe is a device or a pipe, no regular file: give the name of a file"):
        write_whole(pipe, b"new")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_refused() -> None:
    with pytest.raises(Unwritable, match="/dev/null is a device or a pipe"):
        write_whole(Path("/dev/null"), b"new")


def test_threads_that_write_one_file_at_once_all_leave_it_whole(tmp_path: Path) -> None:
    """Two voices may render one phrase at once: the profile was changed twice in a row."""
    file, failed, whole = tmp_path / "phrase.wav", list[Unwritable](), set[bytes]()

    def write(content: bytes) -> None:
        try:
            for _ in range(50):
                write_whole(file, content)
                whole.add(file.read_bytes())
        except Unwritable as error:
            failed.append(error)

    contents = [bytes([letter]) * size for letter, size in ((65, 10), (66, 40_000), (67, 200_000), (68, 3_000))]
    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert whole <= set(contents)
    assert [one.name for one in tmp_path.iterdir()] == ["phrase.wav"]
