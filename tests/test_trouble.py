"""The makers' page of troubles against what the glasses can report: each fault, state and check has its row."""

import re
from pathlib import Path

import pytest

from cuelens.commands.doctor import CHECKS
from cuelens.health import words

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "makers" / "trouble.md").read_text("utf-8")
LEVELS = {words.ERROR: "error", words.WARNING: "warning"}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by their first cell."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
    return {first: rest for first, *rest in cells[2:]}


FAULTS = rows("By the name of a fault")


@pytest.mark.parametrize("fault", words.FAULTS)
def test_a_fault_has_a_row_with_its_level(fault: str) -> None:
    level, meaning, remedy = FAULTS[fault]
    assert level == LEVELS[words.level(fault)]
    assert meaning
    assert remedy


def test_no_fault_has_a_row_that_nothing_reports() -> None:
    # Only a network of a maker's own can be so.
    assert set(FAULTS) - {"no reading"} <= set(words.FAULTS)


def test_every_check_of_doctor_has_a_row() -> None:
    named = {part for cell in rows("By what doctor says") for part in re.split(r", ", cell)}
    assert named == {"settings", *CHECKS}


def test_every_state_in_which_no_cue_comes_is_told() -> None:
    seen = PAGE.partition("## By what you see")[2].partition("## By the name")[0]
    assert set(re.findall(r'"([a-z ]+)"', seen)) >= set(words.STATES) - {"running", "starting"}
