"""In its service the page leaves the phone's time in a file, and tells whether the clock then showed it."""

import stat
import time
from pathlib import Path

import pytest

from cuelens.page.board_clock import set_time


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path


def test_the_time_is_left_in_whole_seconds_and_is_set_if_the_clock_shows_it(folder: Path) -> None:
    now_s = time.time()
    set_time(now_s)
    (file,) = folder.iterdir()
    assert (file.name, file.read_text()) == ("clock", f"{round(now_s)}\n")
    assert stat.S_ISREG(file.stat().st_mode)


def test_a_clock_that_nobody_sets_is_told(folder: Path) -> None:
    with pytest.raises(TimeoutError, match="the clock was not set"):
        set_time(time.time() + 86_400, patience_s=0.2)
    assert (folder / "clock").exists()


def test_a_folder_that_is_gone_is_an_error_of_the_system(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(OSError, match="cannot be written"):
        set_time(time.time())
