"""What the demo's picture shows of a session."""

import pytest

from cuelens import events

pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cuelens.commands.demo_picture import _draw_bands, _draw_readings


@pytest.mark.parametrize(("school", "lines", "words"), [(False, 2, {"happy", "sad"}), (True, 0, set[str]())])
def test_what_the_model_says_is_drawn_but_not_at_a_school(school: bool, lines: int, words: set[str]) -> None:
    happened: list[events.Event] = [events.Start(bundle="a bundle", source="demo", school=school)]
    happened += [events.Reading(t=n / 15, track=1, scores={"happy": 0.9, "sad": 0.1, "fear": 0.0}) for n in range(9)]
    axes = Figure().subplots()
    _draw_readings(axes, happened)
    legend = axes.get_legend()
    assert len(axes.lines) == lines
    assert {text.get_text() for text in legend.get_texts()} == words if legend else not words


@pytest.mark.parametrize("gap_s", [0.07, 0.3, 1.0, 3.0])
def test_the_words_of_cues_that_follow_each_other_closely_do_not_overlap(gap_s: float) -> None:
    cues = [(3.0, "face"), (3.0 + gap_s, "happy"), (8.0, "face"), (8.0 + gap_s, "guess")]
    happened: list[events.Event] = [
        events.CueGiven(t=t, kind="expression", track=1, word=word, outputs=("light",), latency_ms=1.0)
        for t, word in cues
    ]
    figure = Figure(figsize=(14, 2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw_bands(axes, happened, 26.0)
    axes.set_xlim(0, 26.0)
    canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(cues)
    assert not [(n, m) for n, one in enumerate(boxes) for m, other in enumerate(boxes[:n]) if one.overlaps(other)]
