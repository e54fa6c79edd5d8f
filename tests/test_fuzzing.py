"""The readers meet inputs that nobody thought of, for a few seconds each, and the fuzzer finds what it is to find."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the page's forms come with the extra web")

FUZZ = Path(__file__).resolve().parents[1] / "benchmarks" / "fuzz.py"
sys.path.insert(0, str(FUZZ.parents[1]))
ROW = re.compile(r"^([\w-]+) +([\d,]+) +\d+ +\d+ +\d+ +[\d.]+ +(\d+)$", re.MULTILINE)


def fuzz(found: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # Coverage would measure the product's time with its own.
    command = [sys.executable, str(FUZZ), *options, "--found", str(found)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
def test_every_reader_survives_inputs_that_nobody_thought_of(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "--executions", "200", "--minutes", "2", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {
        name: (int(executions.replace(",", "")), findings) for name, executions, findings in ROW.findall(done.stdout)
    }
    assert len(rows) == 13
    assert all(executions >= 100 and findings == "0" for executions, findings in rows.values()), rows
    assert list(tmp_path.rglob("*.txt")) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("errs", "ValueError"),
        ("warns", "RuntimeWarning"),
        ("dawdles", "Slow"),
        ("devours", "MemoryError"),
        ("crashes", "the process ended: signal 6"),
    ],
)
def test_a_faulty_reader_is_found_out(tmp_path: Path, name: str, kind: str) -> None:
    done = fuzz(tmp_path, f"faulty-{name}", "--executions", "40", "--minutes", "0.05")
    assert done.returncode == 1, done.stdout + done.stderr
    assert kind in done.stdout
    (told,) = tmp_path.rglob("*.txt")
    assert kind in told.read_text()
    kept = told.with_suffix("").read_bytes()
    # What a finding does not need is left out.
    assert kept == b"!" if name == "warns" else len(kept) <= 60


def test_an_input_that_asks_for_it_is_long() -> None:
    from benchmarks.fuzzing.engine import swollen

    assert swollen(b"abcdefgh", 100) == b"abcdefgh"
    assert 90 < len(swollen(b"abcdefgh\x02\x04\xfe", 100)) <= 100
    assert swollen(b"abcdefgh\x02\x04\xfe", 100).startswith(b"abcdcdcd")


def test_an_unknown_reader_is_refused(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "nothing")
    assert done.returncode == 2
    assert "there is no target nothing" in done.stderr
