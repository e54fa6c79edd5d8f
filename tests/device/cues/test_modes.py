"""Each mode on scripts of what is believed of one face: what it tells, and when."""

import msgspec
import pytest

from cuelens.cues import limits
from cuelens.cues.fading import FadingRule, at, faded, remember
from cuelens.cues.limits import LimitRule, RecentCues
from cuelens.cues.modes import mode, modes
from cuelens.cues.modes.mode import Moment, PlayRule
from cuelens.cues.modes.smile import Hunt
from cuelens.types import Wish
from cuelens_models.errors import BadInput

WORDS = ("happy", "sad", "surprise", "neutral", "unsure", "nobody", "find happy", "find sad")
LIMITS = LimitRule(
    gap_s=3.0,
    answer_gap_s=1.0,
    same_expression_s=8.0,
    spoken_per_minute=6,
    outputs=dict.fromkeys(WORDS, ("light", "voice")) | {"face": ("light",), "guess": ("light",)},
)
FADING = FadingRule()

Span = tuple[float, str | None]
"""From so many seconds on this is believed of the face; None: no face is in view."""


def play(
    name: str,
    spans: list[Span],
    until: float,
    presses: tuple[float, ...] = (),
    rule: PlayRule | None = None,
    first: tuple[bool, ...] = (),
    dropped: list[tuple[float, str]] | None = None,
) -> tuple[list[tuple[float, str, str]], tuple[bool, ...]]:
    """Return (time, kind, word) of the cues, and the history of fading. dropped: takes (time, word) of questions."""
    state, recent, cues = mode(name).begin, RecentCues(), []
    waiting = sorted(presses)
    for n in range(round(until * 15)):
        t = n / 15
        since_t, expression = [span for span in spans if span[0] <= t][-1]
        press = bool(waiting) and waiting[0] <= t
        if press:
            waiting.pop(0)

        def may(wish: Wish, t: float = t, recent: RecentCues = recent) -> bool:
            return bool(limits.outputs(recent, t, wish, LIMITS, alone=True, muted=False))

        moment = Moment(
            t=t,
            track=None if expression is None else 1,
            expression=expression or "unsure",
            since_t=since_t,
            answer=expression or "unsure",
            press=press,
            may=may,
            faded=faded(first, FADING),
            remembered=frozenset() if expression is None else frozenset({1}),
        )
        step = mode(name).step(state, moment, rule or PlayRule())
        state = step.state
        if step.dropped and dropped is not None:
            dropped.append((t, step.dropped))
        first = first if step.answered_first is None else remember(first, step.answered_first, FADING)
        if step.wish and may(step.wish):
            recent = limits.after(recent, t, step.wish, LIMITS.outputs[step.wish.word], LIMITS)
            cues.append((round(t, 1), step.wish.kind, step.wish.word))
    return cues, first


def cues(name: str, spans: list[Span], until: float, **options: object) -> list[tuple[float, str, str]]:
    return play(name, spans, until, **options)[0]  # type: ignore[arg-type]


FACE = (5.0, "face", "face")


@pytest.mark.parametrize(
    ("spans", "until", "expected"),
    [
        ([(0, None), (5, "unsure")], 9, [FACE]),
        # A face that was only away for a moment is no news; after three seconds it is.
        ([(0, None), (5, "unsure"), (9, None), (11, "unsure")], 14, [FACE]),
        ([(0, None), (5, "unsure"), (9, None), (12.5, "unsure")], 14, [FACE, (12.5, "face", "face")]),
        ([(0, None), (5, "unsure"), (9.05, None), (12, "unsure")], 14, [FACE, (12.0, "face", "face")]),
        # An expression is told once, however long it lasts; neutral and unsure never.
        ([(0, None), (5, "unsure"), (10, "happy")], 60, [FACE, (10.0, "expression", "happy")]),
        ([(0, None), (5, "unsure"), (10, "neutral")], 60, [FACE]),
        # The first expression of a newcomer follows the greeting at once.
        ([(0, None), (5, "unsure"), (6, "happy")], 20, [FACE, (6.0, "expression", "happy")]),
        # One that the gap holds up is told when that is over, if it is still shown then.
        (
            [(0, None), (5, "unsure"), (6, "happy"), (7, "sad")],
            20,
            [FACE, (6.0, "expression", "happy"), (9.0, "expression", "sad")],
        ),
        ([(0, None), (5, "unsure"), (6, "happy"), (7, "sad"), (8, "unsure")], 20, [FACE, (6.0, "expression", "happy")]),
        # The same again waits eight seconds.
        (
            [(0, None), (5, "unsure"), (10, "happy"), (12, "neutral"), (14, "happy")],
            30,
            [FACE, (10.0, "expression", "happy"), (18.0, "expression", "happy")],
        ),
        # What has no cue is a face, and no news.
        ([(0, None), (5, "unsure"), (10, "face")], 20, [FACE]),
    ],
)
@pytest.mark.parametrize("name", ["companion", "quiet"])
def test_companion_tells_what_is_clear_once(
    name: str, spans: list[Span], until: float, expected: list[tuple[float, str, str]]
) -> None:
    assert cues(name, spans, until) == expected


@pytest.mark.parametrize(
    ("spans", "presses", "expected"),
    [
        ([(0, "neutral")], (6.0,), [(6.0, "answer", "neutral")]),
        ([(0, "happy")], (6.0,), [(0.1, "expression", "happy"), (6.0, "answer", "happy")]),
        # Nothing is clear yet: it waits a second for that, and then says so.
        ([(0, "unsure")], (6.0,), [(7.0, "answer", "unsure")]),
        ([(0, "unsure")], (0.6,), [(1.6, "answer", "unsure")]),
        ([(0, "unsure"), (6.5, "sad")], (6.0,), [(6.5, "answer", "sad")]),
        ([(0, "neutral"), (4, None)], (6.0,), [(7.0, "answer", "nobody")]),
        # Presses in a row are answered once a second at most, and an old one not at all.
        ([(0, "neutral")], (6.0, 6.1, 6.2, 6.3), [(6.0, "answer", "neutral"), (7.0, "answer", "neutral")]),
        # What was asked for is not told a second time unasked.
        ([(0, "neutral"), (4, "unsure"), (9, "sad")], (8.5,), [(9.0, "answer", "sad")]),
    ],
)
def test_a_press_is_answered_with_what_is_shown(
    spans: list[Span], presses: tuple[float, ...], expected: list[tuple[float, str, str]]
) -> None:
    assert cues("companion", spans, 14, presses=presses)[1:] == expected


SMILING: list[Span] = [(0, "neutral"), (10, "happy")]


@pytest.mark.parametrize(
    ("spans", "presses", "expected", "learned"),
    [
        # The answer follows by itself after four seconds.
        (SMILING, (), [(10.0, "prompt", "guess"), (14.0, "expression", "happy")], (False,)),
        # A press says "I have it", and the answer comes at once; but never within a second of the question.
        (SMILING, (12.0,), [(10.0, "prompt", "guess"), (12.0, "answer", "happy")], (True,)),
        (SMILING, (10.2,), [(10.0, "prompt", "guess"), (11.0, "answer", "happy")], (True,)),
        # What is over is not told; a press then asks what is shown, the one of the very beat too.
        ([*SMILING, (11, "neutral")], (), [(10.0, "prompt", "guess")], ()),
        ([*SMILING, (11, "neutral")], (12.0,), [(10.0, "prompt", "guess"), (12.0, "answer", "neutral")], ()),
        ([*SMILING, (11, "neutral")], (11.0,), [(10.0, "prompt", "guess"), (11.0, "answer", "neutral")], ()),
        # It is not over for a moment of doubt.
        ([*SMILING, (11, "unsure")], (12.0,), [(10.0, "prompt", "guess"), (12.0, "answer", "happy")], (True,)),
        # Nothing is said of a face that has gone: a press then asks what is shown.
        ([*SMILING, (10.2, None)], (10.1,), [(10.0, "prompt", "guess"), (11.2, "answer", "nobody")], ()),
        ([*SMILING, (10.2, None)], (), [(10.0, "prompt", "guess")], ()),
        # It is over after a second and a half of doubt: a press then asks what is shown.
        ([*SMILING, (11, "unsure")], (12.4,), [(10.0, "prompt", "guess"), (12.4, "answer", "happy")], (True,)),
        ([*SMILING, (11, "unsure")], (12.6,), [(10.0, "prompt", "guess"), (13.6, "answer", "unsure")], ()),
        (
            [*SMILING, (10.2, None), (11, "happy")],
            (),
            [(10.0, "prompt", "guess"), (14.0, "expression", "happy")],
            (False,),
        ),
        # A face that was in view during the question is no news after it; one that was away for three seconds is.
        ([*SMILING, (13.5, "neutral")], (), [(10.0, "prompt", "guess")], ()),
        ([*SMILING, (10.2, None), (13.5, "neutral")], (), [(10.0, "prompt", "guess"), (13.5, "face", "face")], ()),
        # Without a question a press asks what is shown.
        ([(0, "neutral")], (6.0,), [(6.0, "answer", "neutral")], ()),
    ],
)
def test_explore_asks_first(
    spans: list[Span], presses: tuple[float, ...], expected: list[tuple[float, str, str]], learned: tuple[bool, ...]
) -> None:
    log, first = play("explore", spans, 17, presses)
    assert log[1:] == expected
    assert first == learned


@pytest.mark.parametrize(
    ("spans", "asked"),
    [
        # Once about each time that it settles, however long it is shown; never about what has no word of its own.
        (SMILING, [10.0]),
        ([*SMILING, (16, "neutral"), (30, "happy")], [10.0, 30.0]),
        ([(0, "neutral"), (10, "face"), (14, "unsure")], []),
        # Not before its answer may be told: the one of before was told at 14.
        ([*SMILING, (15, "neutral"), (17.5, "happy")], [10.0, 22.0]),
        # Nor within the gap after that answer, though this one may be told.
        ([*SMILING, (15, "sad")], [10.0, 17.0]),
    ],
)
def test_explore_asks_once_about_an_expression(spans: list[Span], asked: list[float]) -> None:
    assert [t for t, kind, _ in cues("explore", spans, 60) if kind == "prompt"] == asked


def test_a_question_whose_answer_is_not_true_any_more_is_dropped() -> None:
    log, first = play("explore", [*SMILING, (10.2, "sad")], 12.5, (12.3,))
    # The press came after that, and asks what is shown.
    assert log[1:] == [(10.0, "prompt", "guess"), (12.3, "answer", "sad")]
    assert first == ()


@pytest.mark.parametrize(
    ("spans", "presses", "expected"),
    [
        ([*SMILING, (10.2, "sad")], (), [10.2]),
        # The face has not shown it for a second and a half, or is away for so long.
        ([*SMILING, (11, "unsure")], (), [12.5]),
        ([*SMILING, (11, None)], (), [12.5]),
        # A question that ends with its answer is not dropped.
        (SMILING, (), []),
        (SMILING, (12.0,), []),
    ],
)
def test_a_dropped_question_is_told_once(spans: list[Span], presses: tuple[float, ...], expected: list[float]) -> None:
    dropped: list[tuple[float, str]] = []
    play("explore", spans, 17, presses, dropped=dropped)
    assert [word for _, word in dropped] == ["guess"] * len(expected)
    assert [t for t, _ in dropped] == pytest.approx(expected, abs=0.11)


def test_smile_asks_and_tells_when_it_was_found() -> None:
    log = cues("smile", [(0, None), (4, "sad"), (8, "happy"), (12, "neutral")], 40)
    assert log == [
        (0.0, "prompt", "find happy"),
        (4.0, "face", "face"),
        (8.0, "expression", "happy"),
        (23.0, "prompt", "find happy"),
    ]


def test_smile_takes_what_it_asks_for_in_turn_and_a_press_repeats_the_words() -> None:
    rule = PlayRule(find=("happy", "sad"), round_s=5.0)
    log = cues("smile", [(0, "neutral"), (6, "happy"), (20, "sad")], 24, presses=(14.0,), rule=rule)
    assert [word for _, _, word in log] == ["face", "find happy", "happy", "find sad", "find sad", "sad"]
    assert log[4] == (14.0, "answer", "find sad")


def test_smile_without_anything_to_ask_for_greets_and_answers() -> None:
    log = cues("smile", [(0, None), (4, "happy")], 12, presses=(9.0,), rule=PlayRule(find=()))
    assert log == [(4.0, "face", "face"), (9.0, "answer", "happy")]


@pytest.mark.parametrize(("late_s", "answered"), [(2.4, True), (2.6, False)])
@pytest.mark.parametrize(
    ("name", "begin", "word"), [("companion", None, "neutral"), ("smile", Hunt(open=True), "find happy")]
)
def test_a_press_that_could_not_be_answered_in_time_is_forgotten(
    name: str, begin: Hunt | None, word: str, late_s: float, *, answered: bool
) -> None:
    state = begin or mode(name).begin
    told = []
    for t, allowed in ((5.0, False), (5.0 + late_s, True)):
        now, may = at(0.0, FADING), lambda _, may=allowed: may
        moment = Moment(t, 1, "neutral", 0.0, "neutral", not allowed, may, now, frozenset({1}))
        step = mode(name).step(state, moment, PlayRule())
        state = step.state
        told += [(step.wish.kind, step.wish.word)] if step.wish and allowed else []
    assert told == ([("answer", word)] if answered else [])


def test_between_rounds_a_press_asks_what_is_shown() -> None:
    log = cues("smile", [(0, "neutral"), (6, "happy")], 12, presses=(9.0,))
    assert log[-1] == (9.0, "answer", "happy")


def test_fading_tells_later_and_more_rarely() -> None:
    spans: list[Span] = [(0, "neutral")]
    for n, word in enumerate(("happy", "sad", "surprise") * 2):
        spans += [(10.0 * n + 10, word), (10.0 * n + 16, "neutral")]
    eager = cues("companion", spans, 80)[1:]
    skilled = cues("companion", spans, 80, first=(True,) * 12)[1:]
    assert [word for _, _, word in eager] == ["happy", "sad", "surprise"] * 2
    # Two seconds later, and one in three.
    assert skilled == [(12.0, "expression", "happy"), (42.0, "expression", "happy")]


@pytest.mark.parametrize(
    ("first", "rule", "level", "delay_s", "every"),
    [
        ((), FADING, 0.0, 0.0, 1),
        ((True,) * 3, FADING, 0.25, 0.5, 1),
        ((True,) * 6, FADING, 0.5, 1.0, 2),
        ((True,) * 12, FADING, 1.0, 2.0, 3),
        ((True,) * 40, FADING, 1.0, 2.0, 3),
        ((True,) * 12 + (False,) * 12, FADING, 0.0, 0.0, 1),
        ((True,) * 12, msgspec.structs.replace(FADING, on=False), 0.0, 0.0, 1),
    ],
)
def test_the_curve_of_fading(
    first: tuple[bool, ...], rule: FadingRule, level: float, delay_s: float, every: int
) -> None:
    assert faded(first, rule) == at(level, rule)
    assert (faded(first, rule).delay_s, faded(first, rule).every) == (delay_s, every)


def test_only_the_last_questions_are_remembered() -> None:
    first: tuple[bool, ...] = ()
    for n in range(30):
        first = remember(first, n % 2 == 0, FADING)
    assert first == (True, False) * 6


def test_modes_are_found_by_their_files_and_say_what_they_do() -> None:
    assert list(modes()) == sorted({"companion", "explore", "quiet", "smile", *modes()})
    assert all(each.about.endswith(".") for each in modes().values())
    assert modes()["quiet"].outputs == {"light", "console"}
    with pytest.raises(BadInput, match=f"mode is 'loud': expected one of {', '.join(modes())}$"):
        mode("loud")


def turns(
    name: str, settled: list[tuple[int, str, float]], remembered: int = 1
) -> tuple[list[tuple[int | None, str]], int]:
    """Return what is told, and the size of the mode's state, if one of several faces after another is attended to.

    settled: for each ten seconds the face, its expression, and when that settled. Nothing is limited.
    remembered: of how many of the last faces something is believed.
    """
    state, told = mode(name).begin, []
    for n in range(150 * len(settled)):
        track, word, since_t = settled[n // 150]
        last = [settled[max(n // 150 - back, 0)][0] for back in range(remembered)]
        moment = Moment(n / 15, track, word, since_t, word, False, lambda _: True, at(0.0, FADING), frozenset(last))
        step = mode(name).step(state, moment, PlayRule())
        state = step.state
        told += [(step.wish.track, step.wish.word)] if step.wish and step.wish.kind == "expression" else []
    return told, len(msgspec.json.encode(state))


@pytest.mark.parametrize("name", ["companion", "quiet", "explore"])
def test_who_is_looked_at_again_and_shows_the_same_is_not_told_of_again(name: str) -> None:
    people = [(track, "happy" if track % 2 else "sad", track / 10) for track in range(1, 16)]
    assert turns(name, people * 3, remembered=15)[0] == [(track, word) for track, word, _ in people]


@pytest.mark.parametrize("name", modes())
def test_however_long_a_session_lasts_a_mode_remembers_little(name: str) -> None:
    settled = [(n, ("happy", "sad")[n % 2], 10.0 * n) for n in range(60)]
    told, size = turns(name, settled)
    assert len(told) >= 30
    # The numbers in it may have a digit more.
    assert size < turns(name, settled[:30])[1] + 50
