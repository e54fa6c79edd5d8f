"""The cards for bystanders: each is that of its text, a phone reads the text from it, and it leads to no server."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.profile import language
from tests.tools import load

pytest.importorskip("segno", reason="the code comes with the extra web")

ROOT = Path(__file__).resolve().parents[1]
QUIET_ZONE = 4
"""Squares of a margin that a reader needs."""


tool = load("bystanders")
LANGUAGES = language.available()


def drawn(svg: str) -> np.ndarray:
    """The code of a card as a picture, of eight pixels a square, from the path that the file holds."""
    match = re.search(r'class="code" d="([^"]+)"', svg)
    assert match
    runs = [(int(x), int(y), int(length)) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", match[1])]
    side = 1 + max(y for _, y, _ in runs)
    squares = np.full((side + 2 * QUIET_ZONE, side + 2 * QUIET_ZONE), 255, np.uint8)
    for x, y, length in runs:
        squares[y + QUIET_ZONE, x + QUIET_ZONE : x + QUIET_ZONE + length] = 0
    return np.asarray(np.kron(squares, np.ones((8, 8), np.uint8)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_code_of_a_card_is_the_text_itself(code: str) -> None:
    said, _, _ = cv2.QRCodeDetector().detectAndDecode(drawn((tool.FOLDER / f"{code}.svg").read_text("utf-8")))
    assert said == tool.text(code)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_card_is_that_of_its_text(code: str) -> None:
    assert (tool.FOLDER / f"{code}.svg").read_text("utf-8") == tool.card(code), "run `make bystanders`"


def test_the_page_has_every_language_as_it_is() -> None:
    page = tool.PAGE.read_text("utf-8")
    assert tool.filled(page) == page, "run `make bystanders`"
    assert {file.stem for file in tool.FOLDER.glob("*.svg")} == set(LANGUAGES)
    assert all(f"bystanders/{code}.svg" in page for code in LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_text_leads_to_no_server_and_fits_its_card(code: str) -> None:
    text = tool.text(code)
    assert not re.search(r"https?:|www\.|\w+\.(?:org|com|net|eu|de)\b", text)
    assert "30" in text
    lowest = max(float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)"', tool.card(code)))
    assert lowest < 100
