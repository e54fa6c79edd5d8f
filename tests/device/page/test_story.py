"""The last day on the page: bars over minutes, and what of a day is only counted."""

import re

import pytest

pytest.importorskip("starlette", reason="the page comes with the extra web")

from cuelens.link.replies import Entry, StoredSession
from cuelens.page import story


def session(seconds: float, *entries: Entry, faces_s: float | None = None) -> StoredSession:
    return StoredSession(
        began="2026-10-08T15:02:11",
        mode="companion",
        school=False,
        seconds=seconds,
        ended="time",
        faces_s=faces_s,
        entries=entries,
    )


def told(t: float) -> Entry:
    return Entry(t=t, kind="cue", word="happy", detail="expression", outputs=("light",))


@pytest.mark.parametrize(
    ("one", "happened"),
    [
        (session(18.0), False),
        (session(1200.0, faces_s=0.0), False),
        (session(1200.0, faces_s=0.4), False),
        (session(1200.0, faces_s=5.0), True),
        (session(18.0, told(3.0), faces_s=0.0), True),
        (session(18.0, Entry(t=1.0, kind="press", word="ask", detail="", outputs=())), True),
    ],
)
def test_a_session_is_shown_if_anything_happened_in_it(one: StoredSession, happened: bool) -> None:
    assert story.happened(one) == happened


@pytest.mark.parametrize(
    ("seconds", "longest_s", "minutes"),
    [
        (30.0, 30.0, []),
        (90.0, 90.0, [1]),
        (60.0, 1200.0, []),
        (300.0, 300.0, [1, 2, 3, 4, 5]),
        (520.0, 1200.0, [5]),
        (1200.0, 1200.0, [5, 10, 15, 20]),
        (7200.0, 7200.0, [30, 60, 90, 120]),
    ],
)
def test_a_bar_says_minutes_in_the_steps_of_the_longest_one(
    seconds: float, longest_s: float, minutes: list[int]
) -> None:
    svg = story.draw(session(seconds, told(1.0)), longest_s)
    drawn = re.findall(r'<text x="([\d.]+)" y="\d+" text-anchor="middle">(\d+)</text>', svg)
    assert [int(number) for _, number in drawn] == minutes
    width = (story.WIDTH - 16) / max(longest_s, seconds)
    assert [float(x) for x, _ in drawn] == pytest.approx([8 + 60 * minute * width for minute in minutes], abs=0.06)
    assert svg.count('class="tick"') == len(minutes)


@pytest.mark.parametrize(
    ("seconds", "faces_s", "minutes", "faces"), [(20.0, 4.0, 1, 1), (60.0, None, 1, None), (1200.0, 410.0, 20, 7)]
)
def test_a_session_of_seconds_is_told_as_a_minute_that_has_begun(
    seconds: float, faces_s: float | None, minutes: int, faces: int | None
) -> None:
    one = story.tell(session(seconds, told(1.0), faces_s=faces_s), 1200.0)
    assert (one.minutes, one.faces_minutes) == (minutes, faces)
