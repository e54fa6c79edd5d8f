"""Pages of files that only a start needed: given back, except those that were changed."""

import ctypes
import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cuelens.health import start_pages
from cuelens.health.board import resident_mb

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells the pages of a process")

_PAGES = 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library"
    path.write_bytes(b"as in the file".ljust(_PAGES * mmap.PAGESIZE, b"."))
    return path


def resident_kb(path: Path) -> int:
    """Return how much of a file's mapping is in this process."""
    text = Path("/proc/self/smaps").read_text(errors="replace")
    mapped = re.search(rf"^[0-9a-f]+-.* {re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", text, re.MULTILINE)
    assert mapped, "the file is not mapped"
    return int(mapped[1])


def whole(mapped: mmap.mmap) -> bytes:
    """Read every page."""
    return mapped[:]


def test_a_file_that_was_only_read_leaves_the_process_and_reads_the_same(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        before = whole(mapped)
        assert resident_kb(file) == _PAGES * mmap.PAGESIZE / 1024
        start_pages.give_back()
        assert resident_kb(file) == 0
        assert whole(mapped) == before == file.read_bytes()


def test_pages_that_were_changed_stay_as_they_are_though_nobody_may_write_them_now(file: Path) -> None:
    """So the linker leaves the pointers of a library: to lose one is to crash."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE) as mapped:
        mapped[:7] = b"changed"
        whole(mapped)
        start = ctypes.c_char.from_buffer(mapped)
        protected = ctypes.CDLL(None).mprotect(
            ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped)), mmap.PROT_READ
        )
        del start
        assert protected == 0
        start_pages.give_back()
        assert whole(mapped).startswith(b"changedhe file")


def test_without_a_list_of_mappings_nothing_is_given_back(file: Path, tmp_path: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        whole(mapped)
        start_pages.give_back(tmp_path / "smaps")
        assert resident_kb(file) == _PAGES * mmap.PAGESIZE / 1024


def test_a_list_that_says_nothing_of_changed_pages_is_not_relied_on(file: Path, tmp_path: Path) -> None:
    """An emulated program gets such a list. To believe it would be to lose the pointers of every library."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        whole(mapped)
        told = re.sub(r"(Anonymous: +)\d+", r"\g<1>0", Path("/proc/self/smaps").read_text(errors="replace"))
        (tmp_path / "smaps").write_text(told)
        start_pages.give_back(tmp_path / "smaps")
        assert resident_kb(file) == _PAGES * mmap.PAGESIZE / 1024


def test_a_run_that_reads_a_face_holds_less_than_its_start_did(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cuelens", "run", "--source", "demo", "--seconds", "60", "--events", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"HOME": str(tmp_path)}) as running:
        assert running.stdout
        try:
            assert any(b'"reading"' in line for line in running.stdout), "the run ended without a reading"
            now_mb, highest_mb = resident_mb(running.pid)
        finally:
            running.kill()
    assert highest_mb - now_mb > 10
