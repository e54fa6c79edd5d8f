"""Files are written whole, and what is no file stays what it is."""

import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cuelens_models.atomic_file import clear, write_whole
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


def test_a_name_that_no_file_system_takes_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / ("x" * 300) / "file", tmp_path / ("x" * 300)):
        with pytest.raises(Unwritable, match="cannot be written: File name too long"):
            write_whole(path, b"new")


@pytest.mark.parametrize(("path", "name"), [("", "."), (".", "."), ("/", "/")])
def test_a_path_without_a_name_is_a_folder(path: str, name: str) -> None:
    with pytest.raises(Unwritable) as caught:
        write_whole(Path(path), b"new")
    assert str(caught.value) == f"{name} is a folder: give the name of a file"


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


CALL = re.compile(r"^(?:\[pid +\d+\] )?(\w+)\((.*)\) += +\d", re.MULTILINE)
PLACE = re.compile(r"\"([^\"]+)\"|<([^>]+)>")


def calls(folder: Path, code: str) -> list[tuple[str, ...]]:
    """Return the system calls with which some code changes a folder, as (call, names...) in order."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace, traced = folder.with_name("trace"), "write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir"
    command = ["strace", "-f", "-y", "-qq", "-e", f"trace={traced}", "-o", str(trace), sys.executable, "-c", code]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr:
        pytest.skip("this machine lets nobody trace")
    assert done.returncode == 0, done.stderr
    found = []
    for line in trace.read_text().splitlines():
        call = CALL.match(line.partition(" ")[2].strip())
        places = [one or other for one, other in PLACE.findall(call[2])] if call else []
        names = [os.path.relpath(place, folder) for place in places if place.startswith(str(folder))]
        if call and names:
            found.append((call[1], *(re.sub(r"\.\d+\.tmp", ".tmp", name) for name in names)))
    return found


WRITE = """
import sys
from pathlib import Path
from cuelens_models.atomic_file import make_folder, write_whole
make_folder(Path(sys.argv[1]) / "a" / "b")
write_whole(Path(sys.argv[1]) / "a" / "b" / "file", b"new")
"""
SAVE = """
import sys
from pathlib import Path
from cuelens.profile.library import FACTORY, Library
library = Library(Path(sys.argv[1]))
library.write_draft(FACTORY)
library.save_draft()
library.choose("default")
library.reset()
"""
WRITTEN = [
    ("mkdir", "a"),
    ("mkdir", "a/b"),
    ("fsync", "a"),
    ("fsync", "."),
    ("write", "a/b/.file.tmp"),
    ("fsync", "a/b/.file.tmp"),
    ("rename", "a/b/.file.tmp", "a/b/file"),
    ("fsync", "a/b"),
]
SAVED = [
    ("mkdir", "profiles"),
    ("fsync", "."),
    ("write", "profiles/..draft.json.tmp"),
    ("fsync", "profiles/..draft.json.tmp"),
    ("rename", "profiles/..draft.json.tmp", "profiles/.draft.json"),
    ("fsync", "profiles"),
    # It is saved.
    ("rename", "profiles/.draft.json", "profiles/default.json"),
    ("fsync", "profiles"),
    ("write", ".active.tmp"),
    ("fsync", ".active.tmp"),
    ("rename", ".active.tmp", "active"),
    ("fsync", "."),
    # The name of a profile goes before the profile.
    ("unlink", "active"),
    ("fsync", "."),
    ("unlink", "profiles/default.json"),
    ("fsync", "profiles"),
]


@pytest.mark.parametrize(("code", "expected"), [(WRITE, WRITTEN), (SAVE, SAVED)], ids=["write", "save"])
def test_what_is_renamed_was_synced_and_its_folder_is_synced_after(
    tmp_path: Path, code: str, expected: list[tuple[str, ...]]
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    if code == SAVE:
        pytest.importorskip("cuelens")
    made = calls(folder, code)
    # Some C libraries make a folder before its parent, and try again.
    assert [call for call in made if call[0] != "mkdir"] == [call for call in expected if call[0] != "mkdir"]


def ended() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        (".file.{ended}.tmp", True),
        ("..draft.json.{ended}.tmp", True),
        (".two words\n.{ended}.tmp", True),
        (".file.999999999.tmp", True),
        (".file.{own}.tmp", False),
        (".file.1.tmp", False),
        (".file.9999999999.tmp", False),
        (".file.tmp", False),
        ("file.{ended}.tmp", False),
        (".file.{ended}.tmp~", False),
        (".{ended}.tmp", False),
    ],
)
def test_what_a_killed_process_left_is_deleted_and_nothing_else(tmp_path: Path, name: str, goes: bool) -> None:
    left = tmp_path / name.format(ended=ended(), own=os.getpid())
    left.write_bytes(b"half")
    clear(tmp_path)
    assert left.exists() is not goes


def test_a_write_deletes_what_an_earlier_one_of_the_same_file_left(tmp_path: Path) -> None:
    number = ended()
    for name in ("[a]", "[a]x", "b"):
        (tmp_path / f".{name}.{number}.tmp").write_bytes(b"half")
    write_whole(tmp_path / "[a]", b"new")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["[a]", f".[a]x.{number}.tmp", f".b.{number}.tmp"]
    )


def test_a_folder_that_is_not_there_is_clear(tmp_path: Path) -> None:
    clear(tmp_path / "nowhere")
    clear(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    clear(tmp_path / "file")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
