"""The photographs of the demo scene: those of the packages that they were taken from, and each with its rights told."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tools import load

pytest.importorskip("skimage", reason="the photographs were taken from it")
pytest.importorskip("matplotlib", reason="a photograph was taken from it")

ROOT = Path(__file__).resolve().parents[1]


def test_the_photographs_are_what_the_tool_writes() -> None:
    tool = load("photographs")
    assert {path.name for path in tool.FOLDER.iterdir()} == set(tool.SOURCES)
    notice = (ROOT / "NOTICE").read_text()
    for name in tool.SOURCES:
        written, made = (
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
            for content in ((tool.FOLDER / name).read_bytes(), tool.content(name))
        )
        # Another OpenCV may compress in another way.
        assert np.array_equal(written, made), name
        assert f"photographs/{name}" in notice
