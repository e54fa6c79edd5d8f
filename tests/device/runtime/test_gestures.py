"""The table of gestures, as a table; and that no press whatever is lost or counted twice."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuelens.runtime.gestures import CALIBRATE_S, HOLD_S, KEEP_S, NEXT_S, Hold, after, due

Gestures = list[tuple[float, str]]
Edges = list[tuple[float, bool]]


def play(edges: Edges, until: float, *, muted: bool = False) -> Gestures:
    """Return when each gesture was complete, as a thread sees it that sleeps until it is due, and mutes when asked."""
    hold, complete = Hold(), list[tuple[float, str]]()

    def turn(t: float, pressed: bool | None) -> None:
        nonlocal hold, muted
        hold, gestures = after(hold, t, pressed, muted=muted)
        for gesture in gestures:
            muted = gesture == "mute" if gesture in ("mute", "unmute") else muted
            complete.append((round(t, 3), gesture))

    for t, pressed in [*edges, (until, None)]:
        while (at := due(hold)) is not None and at < t:
            turn(at, None)
        turn(t, pressed)
    return complete


def taps(*spans: tuple[float, float]) -> Edges:
    return [edge for down, up in spans for edge in ((down, True), (up, False))]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        (taps((1.0, 1.1)), [(1.45, "ask")]),
        (taps((1.0, 2.4)), [(2.75, "ask")]),
        (taps((1.0, 2.6)), [(2.5, "mute")]),
        (taps((1.0, 60.0)), [(2.5, "mute")]),
        (taps((1.0, 1.1), (1.4, 1.5)), [(1.4, "pause")]),
        (taps((1.0, 1.1), (1.4, 9.0)), [(1.4, "pause"), (2.9, "mute")]),
        (taps((1.0, 1.1), (1.5, 1.6)), [(1.45, "ask"), (1.95, "ask")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.4, 1.5)), [(1.2, "pause"), (1.85, "ask")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.7, 1.8)), [(1.2, "pause"), (2.15, "ask")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.4, 4.3)), [(1.2, "pause"), (2.9, "mute")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.4, 4.5)), [(1.2, "pause"), (2.9, "mute"), (4.4, "calibrate")]),
        (taps((1.0, 1.1), (1.2, 1.3), (1.7, 9.0)), [(1.2, "pause"), (3.2, "mute")]),
        ([(1.0, True), (1.05, True), (1.1, False), (1.12, False)], [(1.45, "ask")]),
        ([(1.0, False)], []),
    ],
)
def test_what_a_press_means(edges: Edges, expected: Gestures) -> None:
    assert play(edges, 100.0) == expected


TENTHS = [n / 10 for n in range(1, 301)]


@pytest.mark.parametrize("muted", [False, True])
def test_a_press_of_any_length_means_something_and_one_thing(muted: bool) -> None:
    for seconds in TENTHS:
        complete = play(taps((1.0, 1.0 + seconds)), 100.0, muted=muted)
        if seconds < HOLD_S:
            expected = [(round(1.0 + seconds + NEXT_S, 3), "ask")]
        elif muted:
            expected = [(round(1.0 + seconds, 3), "unmute")]
        else:
            expected = [(1.0 + HOLD_S, "mute")]
        assert complete == expected, seconds


@pytest.mark.parametrize("gap", [0.1, 0.3, 0.4, 2.0, 9.9, 10.1, 60.0])
def test_two_presses_of_any_length(gap: float) -> None:
    for seconds in TENTHS:
        end = 1.0 + seconds
        words = [gesture for _, gesture in play(taps((1.0, end), (end + gap, end + gap + seconds)), 200.0)]
        if seconds < HOLD_S:
            expected = ["pause"] if gap < NEXT_S else ["ask", "ask"]
        else:
            # A hold soon after the last one keeps the mute; a later one ends it.
            expected = ["mute", "unmute"] if gap > KEEP_S else ["mute", "mute"]
        assert words == expected, (seconds, gap)


def test_whoever_holds_again_and_again_stays_muted() -> None:
    holds = taps(*((t, t + 4.0) for t in range(0, 120, 12)))
    assert {gesture for _, gesture in play(holds, 200.0)} == {"mute"}


def test_a_thread_that_wakes_late_sees_the_same_gestures() -> None:
    hold, _ = after(Hold(), 1.0, True)
    hold, _ = after(hold, 1.1, False)
    # Nobody asked at 1.45; the next press is a press of its own.
    hold, gestures = after(hold, 3.0, True)
    assert gestures == ("ask",)
    assert after(hold, 3.1, False)[0].phase == "once"
    hold, gestures = after(hold, 9.0, False)
    assert gestures == ("mute",)
    assert hold == Hold(last_t=9.0)


@given(st.lists(st.floats(0.01, 8.0), max_size=30))
# Two short presses and a long one while muted: nothing else may begin, and then it ends the mute.
@example([1.0, 2.0, 11.0, 0.1, 0.1, 0.1, 0.1, 4.0])
def test_no_edges_whatever_get_the_table_stuck(gaps: list[float]) -> None:
    t, edges = 0.0, []
    for n, gap in enumerate(gaps):
        t += gap
        edges.append((t, n % 2 == 0))
    if len(edges) % 2:
        edges.append((t + 0.1, False))
        t += 0.1
    complete = play([*edges, *taps((t + 19, t + 19.1))], t + 100)
    assert complete[-1][1] == "ask"
    spans = [up - down for (down, _), (up, _) in zip(edges[::2], edges[1::2], strict=True)]
    words = [gesture for _, gesture in complete]
    # Every hold mutes, keeps the mute or ends it, and nothing else does.
    holds = [span for span in spans if abs(span - HOLD_S) > 1e-6]
    if len(holds) == len(spans):
        assert words.count("mute") + words.count("unmute") == sum(span >= HOLD_S for span in spans)
    assert words.count("calibrate") <= sum(span >= CALIBRATE_S - 1e-6 for span in spans)
    assert words.count("ask") + words.count("pause") <= len(spans) + 1
