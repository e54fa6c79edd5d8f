"""How a day is told, in words and as a picture."""

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cuelens.cues.fading import FadingRule
from cuelens.profile.wording import looks
from cuelens.story import prose, query, store
from cuelens.story.store import Entry, Session
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.errors import MissingExtra

FADING = FadingRule()
DAY = [
    Session(
        3,
        "2026-10-08T08:32:10+02:00",
        "companion",
        True,
        1260.0,
        "time",
        entries=(
            Entry(3.0, "cue", "face", "face", ("light",)),
            Entry(5.0, "cue", "happy", "expression", ("light", "voice")),
            Entry(60.0, "cue", "happy", "expression", ("light",)),
            Entry(61.0, "unsure", "unsure"),
            Entry(100.0, "press", "ask"),
            Entry(100.2, "cue", "unsure", "answer", ("light", "voice")),
            Entry(200.0, "press", "ask"),
            Entry(200.2, "cue", "nobody", "answer", ("voice",)),
            Entry(300.0, "press", "mute"),
            Entry(300.0, "mute", "on"),
            Entry(420.0, "mute", "off"),
            Entry(500.0, "mode", "smile"),
            Entry(510.0, "cue", "find happy", "prompt", ("voice",)),
        ),
    ),
    Session(4, "2026-10-08T16:40:00+02:00", "quiet", False, 42.0, None, (Entry(40.0, "pause", "on"),)),
]
TOLD = """\
Thursday 8 October 2026: 2 sessions, 22 min in all

  began  length  mode                            how it ended
  08:32  21 min  companion (school), then smile  its time was over
  16:40    42 s  quiet                           cut off, or still on

  told unasked          times  by light  by voice
  looks happy               2         2         1
  face found                1         1         0
  find happy                1         0         1

  answered, when asked  times  by light  by voice
  not sure                  1         1         1
  nobody there              1         0         1

The button was pressed 3 times: 2 to ask, 1 to mute.
Cues were muted once, 2 min in all.
The camera was paused once, 2 s in all.
Not sure of an expression: 2 of 4 times (50%).
"""


def test_a_day_is_told_in_words() -> None:
    assert "\n".join(prose.lines("2026-10-08", DAY)) + "\n" == TOLD


def test_a_day_on_which_nothing_happened_is_told_too() -> None:
    text = "\n".join(prose.lines(query.UNDATED, [Session(9, None, "companion", False, 5.0, "stopped")]))
    for words in (
        "unknown day",
        "1 session, 5 s",
        "no. 9",
        "No cue was given.",
        "never pressed",
        "never muted",
        "never paused",
    ):
        assert words in text
    assert "Not sure" not in text


def test_the_last_day_is_told_and_the_others_are_named(
    tmp_path: Path, cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for began in ("2026-10-07T09:00:00+02:00", None, "2026-10-08T09:00:00+02:00"):
            store.begin(db, began, "companion", school=False)
    text = cuelens(tmp_path).stdout.splitlines()
    assert text[0].startswith("Thursday 8 October 2026: 1 session")
    assert text[-1] == "Other days (--day): 2026-10-07, unknown"
    assert "no. 2" in cuelens(tmp_path, "--day", "unknown").stdout
    assert "no session is kept" in cuelens(tmp_path, "--day", "2026-10-06").stdout


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (1085, "18 min"), (3595, "1 h 00 min"), (3900, "1 h 05 min")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert prose.length(seconds) == words


@pytest.mark.parametrize(
    ("entries", "spans"),
    [
        ([], []),
        ([(5, "on"), (9, "off")], [(5, 9)]),
        ([(5, "on")], [(5, 60)]),
        ([(5, "on"), (6, "on"), (9, "off"), (10, "off")], [(5, 9)]),
        ([(9, "off")], []),
        ([(61, "on")], [(61, 61)]),
    ],
)
def test_from_when_to_when_it_was_muted(entries: list[tuple[float, str]], spans: list[tuple[float, float]]) -> None:
    muted = (*(Entry(t, "mute", word) for t, word in entries), Entry(30, "pause", "on"))
    assert prose.spans(Session(1, None, "companion", False, 60.0, None, muted), "mute") == spans


def test_every_word_is_told_as_looks_never_as_is() -> None:
    assert all(looks(label).startswith("looks ") for label in LABELS)
    others = [looks(word) for word in ("unsure", "face", "nobody", "find happy", "something new")]
    assert others == ["not sure", "face found", "nobody there", "find happy", "something new"]


def test_a_day_is_drawn(
    tmp_path: Path, write_session: Callable[..., None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import draw

    whole = draw("2026-10-08", DAY, FADING, (True, False))
    assert whole.startswith(b"\x89PNG")
    assert draw("2026-10-08", [DAY[0], replace(DAY[1], entries=())], FADING, (True, False)) != whole
    write_session(tmp_path / store.FILE, "unknown word")
    picture = tmp_path / "day.png"
    result = cuelens(tmp_path, "-o", str(picture))
    assert result.returncode == 0, result.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


QUIET = Session(5, "2026-10-08T18:00:00+02:00", "quiet", False, 1200.0, "time", (Entry(1200.0, "in view", "300"),))
EMPTY = (
    Session(6, "2026-10-08T19:00:00+02:00", "quiet", False, 18.0, "stopped", (Entry(18.0, "in view", "0"),)),
    Session(7, "2026-10-08T19:10:00+02:00", "quiet", False, 12.0, "stopped"),
)


@pytest.mark.parametrize(
    ("sessions", "rows", "lengths", "name"),
    [
        (DAY, ["08:32", "16:40"], ["21 min", "42 s"], "since the session began"),
        ([*DAY, QUIET], ["08:32", "16:40", "18:00"], ["21 min", "42 s", "20 min\na face: 5 min"], "began"),
        (
            [EMPTY[0], DAY[1], EMPTY[1]],
            ["16:40"],
            ["42 s"],
            "not drawn: 2 sessions in which nothing happened, 30 s in all",
        ),
        (
            [EMPTY[0]],
            [],
            ["nothing happened in any session"],
            "not drawn: 1 session in which nothing happened, 18 s in all",
        ),
    ],
)
def test_the_picture_says_minutes_and_leaves_out_sessions_in_which_nothing_happened(
    sessions: list[Session], rows: list[str], lengths: list[str], name: str
) -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import figure_of

    axes = figure_of("2026-10-08", sessions, FADING, ()).axes[0]
    assert [label.get_text()[:5] for label in axes.get_yticklabels()] == rows
    assert [text.get_text() for text in axes.texts] == lengths
    assert axes.get_xlabel().endswith(name)


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (42.0, ["0 min", "1 min"]),
        (300.0, [f"{minute} min" for minute in range(6)]),
        (1260.0, ["0 min", "5 min", "10 min", "15 min", "20 min"]),
        (7200.0, ["0 min", "15 min", "30 min", "45 min", "60 min", "75 min", "90 min", "105 min", "120 min"]),
    ],
)
def test_the_time_axis_has_whole_minutes(seconds: float, ticks: list[str]) -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import figure_of

    axes = figure_of("2026-10-08", [replace(DAY[1], seconds=seconds)], FADING, ()).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks
    assert axes.get_xlim()[1] > max(seconds, 60) / 60


def test_the_words_beside_the_bars_stay_in_the_plot() -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from cuelens.story.chart import figure_of

    figure = figure_of("2026-10-08", [*DAY, QUIET], FADING, ())
    FigureCanvasAgg(figure).draw()
    axes, curve = figure.axes[:2]
    for text in axes.texts:
        assert text.get_window_extent().x1 < curve.get_window_extent().x0 - 40


def test_the_curve_of_fading_is_drawn_and_where_the_wearer_stands_on_it() -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import draw

    pictures = {
        draw("2026-10-08", DAY, rule, first) for rule in (FADING, FadingRule(on=False)) for first in ((), (True,) * 12)
    }
    # With fading off, the answers change nothing.
    assert len(pictures) == 3


@pytest.mark.parametrize(
    ("rule", "first", "sentence"),
    [
        (FADING, (), "Nothing was guessed yet: cues come at once."),
        (FADING, (False,), "Of the last 1 guess, 0 were answered first: cues come at once, and always."),
        (FADING, (True,) * 3, "Of the last 3 guesses, 3 were answered first: cues come 0.5 s later, and always."),
        (FADING, (True,) * 6, "cues come 1.0 s later, and for one expression in 2."),
        (FadingRule(on=False), (True,) * 6, "Fading is off: cues come at once, and always."),
    ],
)
def test_fading_is_told_in_words(rule: FadingRule, first: tuple[bool, ...], sentence: str) -> None:
    assert prose.fading(rule, first).endswith(sentence)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cuelens.story.chart import draw

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"\[demo\]"):
        draw("2026-10-08", DAY, FADING, (True, False))
