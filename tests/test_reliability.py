"""docs/reliability.md against docs/design.md, section 8, and against the tests of faults."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.tools import load

TOOL = Path(__file__).resolve().parents[1] / "tools" / "reliability.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load("reliability")


def test_every_fault_of_the_design_was_injected_and_no_other(tool: ModuleType) -> None:
    promised = [row[0] for row in tool.table(tool.DESIGN.read_text("utf-8"))]
    injected = [row[0] for row in tool.table(tool.PAGE.read_text("utf-8"))]
    assert len(set(promised)) == len(promised)
    assert set(injected) | set(tool.elsewhere()) == set(promised), "run `make reliability`"


def test_what_is_injected_elsewhere_is_named_with_its_test(tool: ModuleType) -> None:
    page = tool.PAGE.read_text("utf-8")
    for fault, file in tool.elsewhere().items():
        assert f"- {fault}: `tests/{file}`" in page
        assert (tool.ROOT / "tests" / file).exists()


def test_every_row_names_a_test_and_every_test_has_a_row(tool: ModuleType) -> None:
    rows = tool.table(tool.PAGE.read_text("utf-8"))
    assert {len(row) for row in rows} == {8}
    assert {row[-1].strip("`") for row in rows} == tool.tests()


def test_a_row_says_what_was_measured_and_what_was_survived(tool: ModuleType) -> None:
    for fault, *cells, survived, _ in tool.table(tool.PAGE.read_text("utf-8")):
        count, of, whole = survived.split()
        assert (of, count) == ("of", whole), fault
        assert int(count) >= 2, fault
        assert all(cells), fault
