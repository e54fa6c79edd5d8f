"""Where the pure rooms are changed, and what the command says; the changes themselves take an hour."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "mutants.py"
sys.path.insert(0, str(SCRIPT.parents[1]))

from benchmarks.mutants import ROOMS, ROOT, declarations, places  # noqa: E402

SOURCE = """
@dataclass(frozen=True)
class Half(Struct, frozen=True):
    share: float | None = 0.5

    def of(self, whole: int | None) -> float | None:
        return whole and self.share * whole
"""


def test_types_decorators_and_options_of_classes_are_declarations() -> None:
    lines = SOURCE.splitlines()
    parts = {lines[begin[0] - 1][begin[1] : end[1]] for begin, end in declarations(SOURCE)}
    assert parts == {"dataclass(frozen=True)", "frozen=True", "float | None", "int | None"}


def test_numbers_and_operators_are_changed_and_no_declaration() -> None:
    pytest.importorskip("cosmic_ray", reason="cosmic-ray is not installed")
    lines = SOURCE.splitlines()
    changed = {lines[begin[0] - 1][begin[1] : end[1]] for begin, end in places(SOURCE)}
    assert changed == {"0.5", "*", "and"}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_modules_and_tests(room: str) -> None:
    folder, modules, tests = ROOMS[room]
    assert all([*(ROOT / folder).rglob(f"{name}.py")] for name in modules.split())
    assert all([*(ROOT / "tests").glob(pattern)] for pattern in tests.split())


def test_the_package_that_is_missing_is_named() -> None:
    if find_spec("cosmic_ray"):
        pytest.skip("cosmic-ray is installed")
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("cosmic-ray is not installed: run `pip install cosmic-ray`\n")
