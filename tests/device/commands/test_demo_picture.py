"""What the demo's picture shows of a session."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens import events

pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch

from cuelens.commands.demo_picture import Snapshot, _draw_bands, _draw_readings, _means, _tie, draw
from cuelens.light.cue_lights import lights
from cuelens.profile.cue_book import CueBook, CueEntry
from cuelens.profile.profile import Profile
from cuelens.runtime.pipeline import Decision
from cuelens.types import Cue, Face

LIGHTS = lights(Profile())
NO_LIGHT = "no light is fitted here: these are the ones that the glasses show"


def cue(t: float, word: str, outputs: tuple[str, ...] = ("light",)) -> events.CueGiven:
    return events.CueGiven(t=t, kind="expression", track=1, word=word, outputs=outputs, latency_ms=1.0)


@pytest.mark.parametrize(("school", "drawn", "words"), [(False, 4, {"happy", "sad"}), (True, 0, set[str]())])
def test_what_the_model_says_is_drawn_but_not_at_a_school(school: bool, drawn: int, words: set[str]) -> None:
    happened: list[events.Event] = [events.Start(bundle="a bundle", source="demo", school=school)]
    happened += [events.Reading(t=n / 15, track=1, scores={"happy": 0.9, "sad": 0.1, "fear": 0.0}) for n in range(9)]
    axes = Figure().subplots()
    _draw_readings(axes, happened)
    legend = axes.get_legend()
    # The dots of each label, and its line.
    assert len(axes.lines) == drawn
    assert {text.get_text() for text in legend.get_texts()} == words if legend else not words


@pytest.mark.parametrize("rate", [15, 5])
def test_the_line_of_readings_is_the_same_however_often_a_face_is_read(rate: int) -> None:
    times = [n / rate for n in range(4 * rate)]
    steady = _means(times, [0.7] * len(times))
    assert steady[0] == times
    assert steady[1] == pytest.approx([0.7] * len(times))
    step = _means(times, [float(t >= 2) for t in times])
    assert step[1][2 * rate - 1] == 0.0
    assert 0.0 < step[1][2 * rate] < 1.0
    assert step[1][3 * rate] == 1.0


def test_the_line_of_readings_is_broken_where_nobody_was_read() -> None:
    times, means = _means([0.0, 0.2, 3.0, 3.2], [0.1, 0.1, 0.9, 0.9])
    assert times == [0.0, 0.2, 3.0, 3.0, 3.2]
    assert math.isnan(means[2])
    assert [*means[:2], *means[3:]] == pytest.approx([0.1, 0.1, 0.9, 0.9])


@pytest.mark.parametrize("gap_s", [0.07, 0.3, 1.0, 3.0])
def test_the_words_of_cues_that_follow_each_other_closely_do_not_overlap(gap_s: float) -> None:
    cues = [(3.0, "face"), (3.0 + gap_s, "happy"), (8.0, "face"), (8.0 + gap_s, "guess")]
    figure = Figure(figsize=(14, 2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw_bands(axes, [cue(t, word) for t, word in cues], 26.0, LIGHTS)
    axes.set_xlim(0, 26.0)
    canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text() != "seconds"]
    assert len(boxes) == len(cues)
    assert not [(n, m) for n, one in enumerate(boxes) for m, other in enumerate(boxes[:n]) if one.overlaps(other)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.0, ["not sure"]), (0.8, ["not\nsure"]), (0.3, [])], ids=["wide", "narrow", "too narrow"]
)
def test_a_band_says_not_sure_as_far_as_there_is_room(seconds: float, words: list[str]) -> None:
    happened = [
        events.Expression(t=2.0, track=1, expression="unsure", confidence=0.5),
        events.FaceLost(t=2.0 + seconds, track=1),
    ]
    figure = Figure(figsize=(14, 2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw_bands(axes, happened, 26.0, LIGHTS)
    axes.set(xlim=(0, 26.0))
    canvas.draw()
    texts = [text for text in axes.texts if text.get_text() != "seconds"]
    assert [text.get_text() for text in texts] == words
    band = next(patch for patch in axes.patches if patch.get_hatch())
    assert band.get_width() == pytest.approx(seconds)
    for text in texts:
        assert text.get_window_extent().width < band.get_window_extent().width


def shown(cues: list[events.CueGiven], profile: Profile) -> list[tuple[tuple[float, ...], float, float]]:
    """Return of each light its colour, and from when to when it is drawn."""
    axes = Figure().subplots()
    _draw_bands(axes, cues, 26.0, lights(profile))
    spans = []
    for drawn in axes.collections:
        times = np.concatenate([path.vertices for path in drawn.get_paths()])[:, 0]
        spans.append((tuple(drawn.get_facecolor()[0]), times.min(), times.max()))
    return spans


@pytest.mark.parametrize(
    ("word", "seconds"), [("happy", 1.5), ("sad", 4.0), ("angry", 1.5), ("face", 1.0), ("unsure", 2.0)]
)
def test_the_light_of_a_cue_is_drawn_in_its_colour_for_as_long_as_it_lasts(word: str, seconds: float) -> None:
    ((colour, begin, end),) = shown([cue(3.0, word)], Profile())
    assert colour == to_rgba(LIGHTS[word].colour)
    assert begin == pytest.approx(3.0, abs=0.05)
    assert end == pytest.approx(3.0 + seconds, abs=0.05)


def test_a_light_ends_where_the_next_one_begins() -> None:
    (_, _, end), (_, begin, _) = shown([cue(3.0, "sad"), cue(4.0, "happy")], Profile())
    assert end == pytest.approx(4.0, abs=0.05)
    assert begin == pytest.approx(4.0, abs=0.05)


def test_the_light_is_the_one_of_the_profile_and_a_cue_without_a_light_has_none() -> None:
    dark = Profile(cues=CueBook(happy=CueEntry(light=None)))
    assert shown([cue(3.0, "happy")], dark) == []


@pytest.mark.parametrize(
    ("outputs", "said"), [(("console",), True), (("light",), False), (("console", "light"), False)]
)
def test_where_no_light_is_fitted_the_picture_says_so(outputs: tuple[str, ...], said: bool) -> None:
    axes = Figure().subplots()
    _draw_bands(axes, [cue(3.0, "happy", outputs)], 26.0, LIGHTS)
    assert (NO_LIGHT in [text.get_text() for text in axes.texts]) == said


def test_a_frame_is_tied_to_its_time() -> None:
    figure = Figure(figsize=(14, 6), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1)
    above.set_xlim(0, 26.0)
    _tie(figure, above, below, 6.5)
    canvas.draw()
    (line,) = (artist for artist in figure.artists if isinstance(artist, ConnectionPatch))
    begin, end = line.get_transform().transform(line.get_path().vertices[[0, -1]])
    whole, frame = above.get_window_extent(), below.get_window_extent()
    assert begin == pytest.approx([whole.x0 + whole.width / 4, whole.y0], abs=3)
    assert end == pytest.approx([frame.x0 + frame.width / 2, frame.y1], abs=3)


@pytest.mark.parametrize("count", [0, 1, 8])
def test_the_whole_picture_is_drawn_and_no_words_are_cut_off_at_its_foot(tmp_path: Path, count: int) -> None:
    face = Face(1, (200, 150, 100, 100))
    given = Cue(t=0.0, kind="expression", track=1, word="happy", outputs=("light",))
    grey = np.full((480, 640), 90, np.uint8)
    snapshots: list[Snapshot] = [
        (2.0 * n, grey, Decision(2.0 * n, (face,), {}, {1: "happy"}, given, "running")) for n in range(count)
    ]
    happened: list[events.Event] = [events.Reading(t=n / 5, track=1, scores={"happy": 0.9}) for n in range(60)]
    draw([*happened, cue(2.0, "happy")], snapshots, tmp_path / "demo.png", LIGHTS)
    picture = cv2.imread(str(tmp_path / "demo.png"))
    assert picture is not None
    assert (picture[-3:] == 255).all()
    assert ((picture == 90).all(axis=-1).sum() > 10_000) == bool(count)
