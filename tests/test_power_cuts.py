"""Writers are killed in the middle: what they leave is whole, and the benchmark finds a writer whose is not."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("segno", reason="the network's card comes with the extra web")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.power_cuts.kill import kill_again  # noqa: E402
from benchmarks.power_cuts.writers import WRITERS, Writer  # noqa: E402

# The parts of these tests that run in this process fork before the writer has a thread.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.mark.slow
def test_every_writer_leaves_whole_files_wherever_it_is_killed() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "power_cut.py"), "--kills", "220", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("220 of 220 kills left whole files\n")
    rows = done.stdout.splitlines()[1:-1]
    assert len(rows) == len(WRITERS)
    # Kills that never hit a write would prove nothing.
    assert sum(int(row.split()[-2]) for row in rows) > 10


def _torn(state: Path, n: int) -> None:
    """Write in place, half of it first."""
    with (state / "file").open("wb", buffering=0) as file:
        for _ in range(2000):
            file.write(b"%d" % (n % 2))


def _whole(state: Path, versions: Sequence[int]) -> str:
    content = (state / "file").read_bytes()
    return "" if content in [b"%d" % (n % 2) * 2000 for n in versions] else f"{len(content)} bytes"


def _forgets(state: Path, n: int) -> None:
    """Write whole, and tell of it two versions too early: at whatever moment it is killed, an older one is there."""
    temporary = state / f".file.{os.getpid()}.tmp"
    temporary.write_bytes(b"%d" % max(n - 2, 0))
    temporary.replace(state / "file")


def _remembers(state: Path, versions: Sequence[int]) -> str:
    return "" if int((state / "file").read_bytes()) in versions else "it is an older one"


def _litters(state: Path, n: int) -> None:
    (state / f"{n}.tmp").write_bytes(b"left")


@pytest.mark.parametrize(
    ("write", "check", "wrong"),
    [
        (_torn, _whole, " bytes"),
        (_forgets, _remembers, "it is an older one"),
        (_litters, lambda _state, _versions: "", "stays for ever"),
        (lambda state, n: None, _whole, "FileNotFoundError"),
    ],
    ids=["torn", "forgets", "litters", "missing"],
)
def test_a_writer_that_is_not_safe_is_found_out(tmp_path: Path, write: object, check: object, wrong: str) -> None:
    verdict = kill_again(Writer("unsafe", write, check), tmp_path, 12, 0, lambda: None)  # type: ignore[arg-type]
    assert verdict.kills == 12
    assert any(wrong in sentence for sentence in verdict.wrong)


def test_a_writer_that_fails_by_itself_is_no_success(tmp_path: Path) -> None:
    def fails(state: Path, n: int) -> None:
        raise OSError("no space")

    with pytest.raises(AssertionError, match="failed by itself"):
        kill_again(Writer("full", fails, _whole), tmp_path, 1, 0, lambda: None)
