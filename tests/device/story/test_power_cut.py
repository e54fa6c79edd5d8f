"""The benchmark of power cuts: it finds what is lost, and the writer loses a second at most."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from cuelens.story import store
from cuelens.story.store import DamagedStory

POWER_CUT = Path(__file__).resolve().parents[3] / "benchmarks" / "power_cuts" / "story.py"


def power_cut(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(POWER_CUT), *options], capture_output=True, text=True, check=False)


def test_a_power_cut_takes_the_last_second_at_most() -> None:
    result = power_cut("--kills", "12", "--jobs", "4")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("12 kills: 0 damaged files, 0 rows older than a second lost")
    assert result.stderr == ""


def test_a_writer_that_commits_too_seldom_is_found_out() -> None:
    result = power_cut("--kills", "8", "--commit-every", "30")
    assert result.returncode == 1
    assert "0 damaged files" in result.stdout
    assert " 0 rows older" not in result.stdout


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("power_cut", POWER_CUT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["power_cut"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("rows", "lost", "recent_s"),
    [
        ([0, 1, 2, 3], 0, 0.0),
        ([0, 1, 2], 0, 0.5),
        ([0, 1], 1, 1.5),
        ([], 3, 3.5),
        ([0, 2, 3], 2, 2.5),
        ([1, 0, 2, 3], 3, 3.5),
    ],
)
def test_the_judge_finds_what_is_missing_or_out_of_order(
    benchmark: ModuleType, rows: list[int], lost: int, recent_s: float
) -> None:
    queue = [(0, 100.0), (1, 101.0), (2, 102.0), (3, 103.0)]
    assert benchmark.judge(queue, rows, 103.5) == (lost, recent_s)


def test_time_in_which_the_writer_stood_still_is_not_counted(benchmark: ModuleType) -> None:
    # The machine stands still for 1.9 s between two presses, and for 2.1 s before the kill.
    presses = [(0, 100.0), (1, 100.1), (2, 102.0), (3, 102.1)]
    had, killed_s = benchmark.without_gaps(presses, 104.2)
    assert [number for number, _ in had] == [0, 1, 2, 3]
    assert [*(at_s for _, at_s in had), killed_s] == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])


def test_the_judge_finds_a_damaged_file(
    benchmark: ModuleType, tmp_path: Path, with_a_hole: Callable[[Path], None]
) -> None:
    path = tmp_path / store.FILE
    assert benchmark.look(path, []) == (True, {}, [])
    with_a_hole(path)
    assert benchmark.look(path, [])[0] is False
    path.write_bytes(b"not a database at all" * 100)
    assert benchmark.look(path, []) == (False, {}, [])
    with pytest.raises(DamagedStory):
        store.open_to_write(path)
