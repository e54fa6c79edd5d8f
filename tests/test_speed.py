"""The page of speed: made of the results that are there, and it says which are not."""

import importlib
import shutil
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[1]
BOARD = {"board": "a board", "frame_to_decision_ms": {"all beats": {"p50": 20.0, "p95": 60.0}}}
STAGES = {"cascade": {"mean": 3.0}, "invoke": {"mean": 1.0}}
BEAT = {"kinds": {"a face followed": {"beats": 9, "whole": {"mean": 4.0, "p95": 5.0}, "stages": STAGES}}}
GROWTH = {"faces": {"1": 2.25, "8": 9.0}, "widths": {"640": 2.25}}


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("speed")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """The model of the smallest board, and no result."""
    shutil.copytree(ROOT / "docs" / "boards", tmp_path / "boards")
    return tmp_path


def test_the_page_is_that_of_the_results(speed: ModuleType) -> None:
    assert speed.PAGE.read_text("utf-8") == speed.page(ROOT / "docs"), "run `make speed`"


def test_what_was_not_measured_is_said(speed: ModuleType, docs: Path) -> None:
    page = speed.page(docs)
    assert "No board has been measured yet" in page
    assert page.count("Not measured in this version") == 2
    (docs / "boards" / speed.MODEL).unlink()
    assert "Not counted yet" in speed.page(docs)


def test_results_become_tables(speed: ModuleType, docs: Path) -> None:
    (docs / "results").mkdir()
    for place, result in (("boards/a.json", BOARD), ("results/beat.json", BEAT), ("results/growth.json", GROWTH)):
        (docs / place).write_bytes(msgspec.json.encode(result))
    page = speed.page(docs)
    assert "| a board | 20.0, 60.0 ms | **no** |" in page
    assert "| a face followed | 9 | 4.00 | 5.00 | 75 % | 25 % |" in page
    assert "| 8 | 9.0 |" in page
    assert "ot measured" not in page.replace("no measurement", "")
