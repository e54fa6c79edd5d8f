"""The table of gestures, as a table; and that no press whatever is lost or told twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.runtime.gestures import CALIBRATE_S, Hold, after, due

Told = list[tuple[float, str]]


def play(edges: list[tuple[float, bool]], until: float) -> Told:
    """Return when each gesture was complete, as a thread tells that sleeps until it is due."""
    hold, told = Hold(), []
    for t, pressed in [*edges, (until, None)]:
        while (at := due(hold)) is not None and at < t:
            hold, gestures = after(hold, at, None)
            told += [(round(at, 3), gesture) for gesture in gestures]
        hold, gestures = after(hold, t, pressed)
        told += [(round(t, 3), gesture) for gesture in gestures]
    return told


def taps(*spans: tuple[float, float]) -> list[tuple[float, bool]]:
    return [edge for down, up in spans for edge in ((down, True), (up, False))]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        (taps((1.0, 1.1)), [(1.45, "ask")]),
        (taps((1.0, 1.59)), [(1.94, "ask")]),
        (taps((1.0, 1.61)), []),
        (taps((1.0, 2.4)), []),
        (taps((1.0, 2.5)), [(2.5, "mute")]),
        (taps((1.0, 5.9)), [(5.9, "mute")]),
        (taps((1.0, 6.5)), [(6.0, "calibrate")]),
        (taps((1.0, 60.0)), [(6.0, "calibrate")]),
        (taps((1.0, 1.1), (1.4, 1.5)), [(1.4, "pause")]),
        (taps((1.0, 1.1), (1.4, 9.0)), [(1.4, "pause")]),
        (taps((1.0, 1.1), (1.5, 1.6)), [(1.45, "ask"), (1.95, "ask")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.4, 1.5)), [(1.2, "pause"), (1.85, "ask")]),
        ([(1.0, True), (1.05, True), (1.1, False), (1.12, False)], [(1.45, "ask")]),
        ([(1.0, False)], []),
    ],
)
def test_what_a_press_means(edges: list[tuple[float, bool]], expected: Told) -> None:
    assert play(edges, 100.0) == expected


def test_a_thread_that_wakes_late_tells_the_same_gestures() -> None:
    hold, _ = after(Hold(), 1.0, True)
    hold, _ = after(hold, 1.1, False)
    # Nobody asked at 1.45; the next press is a press of its own.
    hold, gestures = after(hold, 3.0, True)
    assert gestures == ("ask",)
    assert after(hold, 3.1, False)[0].phase == "once"
    hold, gestures = after(hold, 9.0, False)
    assert gestures == ("calibrate",)
    assert hold == Hold()


@given(st.lists(st.floats(0.01, 8.0), max_size=30))
def test_no_edges_whatever_get_the_table_stuck(gaps: list[float]) -> None:
    t, edges = 0.0, []
    for n, gap in enumerate(gaps):
        t += gap
        edges.append((t, n % 2 == 0))
    if len(edges) % 2:
        edges.append((t + 0.1, False))
        t += 0.1
    told = play([*edges, *taps((t + 9, t + 9.1))], t + 100)
    assert told[-1][1] == "ask"
    assert len(told) <= len(edges) / 2 + 1
    held = [up - down for (down, _), (up, _) in zip(edges[::2], edges[1::2], strict=True)]
    # What is held for five seconds calibrates, unless it is the second press of a pause.
    calibrated = sum(gesture == "calibrate" for _, gesture in told)
    assert calibrated <= sum(span >= CALIBRATE_S - 1e-6 for span in held)
