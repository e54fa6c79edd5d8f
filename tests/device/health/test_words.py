"""The words for states and faults: none is missing that the code can report, and none is there that it cannot."""

import ast
from pathlib import Path

import cuelens
from cuelens.camera import capture
from cuelens.health import words
from cuelens.runtime import loop
from cuelens.vision import picture_state

SOURCES = sorted(Path(cuelens.__file__).parent.rglob("*.py"))
NAMED = {"NO_CAMERA": capture.NO_CAMERA, "STALLED": capture.STALLED, "ODD": capture.ODD}


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return NAMED[node.id] if isinstance(node, ast.Name) and node.id in NAMED else ""


def reported(source: Path) -> set[str]:
    """The first arguments of what reports a fault, those of events, and the names in the list of the start."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "Fault":
            found |= {name_of(word.value) for word in node.keywords if word.arg == "fault"}
        elif isinstance(node, ast.Call) and node.args:
            function, first, *rest = node.func, *node.args
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            # Complaint and claim take a fault's name first too; partial binds it.
            if called in ("fault", "_fault", "_claimed", "_become"):
                found.add(name_of(first))
            elif called == "FirstFault":
                found.add(f"no {name_of(first)}")
            elif called == "partial" and rest and getattr(first, "attr", "") == "fault":
                found.add(name_of(rest[0]))
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "faults":
            found |= {name_of(one.elts[0]) for one in ast.walk(node.value) if isinstance(one, ast.Tuple) and one.elts}
    return found - {""}


def test_every_fault_that_can_be_reported_has_words_and_no_other() -> None:
    names = set().union(*(reported(source) for source in SOURCES))
    assert "no sound" in names
    assert "bundle damaged" in names
    assert "no reading" in names
    assert names - {*words.STATES, "in", "no in"} <= set(words.FAULTS)
    assert set(words.FAULTS) - names - {"settings damaged", "profile warning"} == set()


def test_every_state_has_words_and_no_other() -> None:
    states = {
        *(capture.RUNNING, capture.NO_CAMERA, capture.STALLED, capture.PAUSED),
        *(loop.RESTING, picture_state.DARK, picture_state.COVERED, "starting"),
    }
    assert set(words.STATES) == states
    assert states > words.TROUBLE


def test_an_unknown_fault_is_a_warning() -> None:
    assert (words.level("something new"), words.level("no light")) == (words.WARNING, words.ERROR)
