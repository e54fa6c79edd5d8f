"""Readings on request: only as long as anybody may hold an expression."""

from types import SimpleNamespace

from cuelens import events
from cuelens.runtime.collecting import Collecting


def test_collecting_ends_by_itself_when_a_phone_has_left_it() -> None:
    collecting = Collecting(("happy", "neutral"))
    face = SimpleNamespace(track=1, box=(0, 0, 90, 90))
    collecting.see(SimpleNamespace(), SimpleNamespace(faces=[face]))  # type: ignore[arg-type]
    collecting.begin("neutral")
    for number in range(15 * 60):
        collecting(events.Reading(t=number / 15, track=1, scores={"happy": 0.1, "neutral": 0.9}))
    assert collecting.shown is None
    assert 10 <= collecting.seconds()["neutral"] < 13
