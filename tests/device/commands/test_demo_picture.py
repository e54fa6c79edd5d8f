"""What the demo's picture shows of a session."""

import pytest

from cuelens import events

pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")

from matplotlib.figure import Figure

from cuelens.commands.demo_picture import _draw_readings


@pytest.mark.parametrize(("school", "lines", "words"), [(False, 2, {"happy", "sad"}), (True, 0, set[str]())])
def test_what_the_model_says_is_drawn_but_not_at_a_school(school: bool, lines: int, words: set[str]) -> None:
    happened: list[events.Event] = [events.Start(bundle="a bundle", source="demo", school=school)]
    happened += [events.Reading(t=n / 15, track=1, scores={"happy": 0.9, "sad": 0.1, "fear": 0.0}) for n in range(9)]
    axes = Figure().subplots()
    _draw_readings(axes, happened)
    legend = axes.get_legend()
    assert len(axes.lines) == lines
    assert {text.get_text() for text in legend.get_texts()} == words if legend else not words
