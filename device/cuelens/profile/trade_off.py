"""What caution costs and brings: measured points (`trade_off.json`, with the command that wrote them)."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = Path(__file__).with_name("trade_off.json")


class Point(msgspec.Struct, frozen=True):
    """One caution, on made-up hours of held-out persons. Shares are of expressions that last two seconds, 0 to 1."""

    caution: float
    false_in_ten_minutes: float
    told_in_time: float
    told_at_all: float


class _Figures(msgspec.Struct, frozen=True):
    """The file. command: measured its points."""

    command: str
    points: tuple[Point, ...]


@cache
def points() -> tuple[Point, ...]:
    """Return the measured points, the most cautious first."""
    figures = msgspec.json.decode(_FILE.read_bytes(), type=_Figures)
    return tuple(sorted(figures.points, key=lambda point: -point.caution))
