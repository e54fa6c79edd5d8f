import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the page's pictures are drawn by matplotlib (extra train)")
pytest.importorskip("jinja2", reason="the page is a jinja2 template (extra train)")

from jinja2 import UndefinedError

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.bundle.training_record import CurvePoint, TrainingRecord
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.data.load import HeldOut
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.evaluate.candidate import Candidate
from cuelens_models.evaluate.evaluate import Evaluation, evaluate, figures
from cuelens_models.report import plots
from cuelens_models.report.page import page
from cuelens_models.report.render import render

Told = Callable[..., Candidate]
WORDS = ["evaluate-model", "told.tflite", "--data", "made up", "--protocol", "ferplus8"]
VOID = {"meta", "img", "br", "hr", "link", "input"}


def held_out(words: list[str]) -> HeldOut:
    """Return even faces, one grey level after the other, each with the original label and all votes for a word."""
    pixels = np.repeat(np.arange(len(words), dtype=np.uint8), 48 * 48).reshape(-1, 48, 48)
    votes = np.array([[9 * (word == vote) for vote in VOTES] for word in words], np.uint8)
    emotion = np.array([EMOTIONS.index(word) if word in EMOTIONS else -1 for word in words], np.int8)
    return HeldOut("made up", Faces(pixels, emotion, votes), "made <up>", ())


@pytest.fixture
def evaluation(told: Told) -> Evaluation:
    labels = (*LABELS, NOT_A_FACE)
    truth = np.arange(60) % 7
    random = np.random.default_rng(0)
    logits = random.normal(0, 1, (60, 9)) + 2 * np.eye(9)[truth]
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    model = told(labels, rows.tolist(), dict.fromkeys(labels, 0.5))
    return evaluate(model, held_out([LABELS[index] for index in truth]), "ferplus8", corruptions=True)


class Structure(HTMLParser):
    """Checks that elements close as they open, and gathers their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def structure(text: str) -> Structure:
    parsed = Structure()
    parsed.feed(text)
    assert parsed.open == []
    return parsed


def written(evaluation: Evaluation, *, show_faces: bool = False) -> str:
    return page(evaluation, figures(evaluation), WORDS, show_faces=show_faces)


def test_the_page_needs_nothing_from_elsewhere_and_says_so_twice_alike(evaluation: Evaluation) -> None:
    text = written(evaluation)
    assert text == written(evaluation)
    assert "http" not in text
    assert not re.search(r"\b(src|@import|url\((?!#))", text)
    parsed = structure(text)
    assert not {tag for tag, _ in parsed.seen} & {"script", "link", "img", "iframe", "object"}
    names = [attributes["id"] for _, attributes in parsed.seen if "id" in attributes]
    assert len(set(names)) == len(names)
    used = re.findall(r'(?:url\(|href=")#([\w-]+)', text)
    assert used
    assert set(used) <= set(names)


def test_every_figure_is_there_and_every_picture_has_its_words(evaluation: Evaluation) -> None:
    text, report = written(evaluation), figures(evaluation)
    for value in (report["accuracy"], report["macro_recall"], report["robustness"]["camera"]):
        assert f"{value:.1%}" in text
    assert f"{report['ece']:.3f}" in text
    for name in ("accuracy", "macro_recall"):
        low, high = report["intervals"][name]
        assert f"({low:.1%} to {high:.1%})" in text
    pictures = [attributes for tag, attributes in structure(text).seen if tag == "svg"]
    assert len(pictures) == 4
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)
    for words in ("AI Act, Article 5(1)(f)", "FER2013", "no medical device", "evaluate-model told.tflite"):
        assert words in text
    assert "made &lt;up&gt;" in text


def test_the_confusions_and_the_mistakes_are_counted(evaluation: Evaluation) -> None:
    text = written(evaluation)
    wrong = np.flatnonzero(evaluation.probabilities.argmax(axis=1) != evaluation.truth)
    table = text[text.index('class="confusion"') : text.index("Telling one from the rest")]
    counts = [int(count) for count in re.findall(r">(\d+)<small>", table)]
    assert sum(counts) == 60
    assert sum(counts[place * 9] for place in range(8)) == 60 - len(wrong)
    listed = text[text.index("The worst mistakes") : text.index("How it was trained")]
    indices = [int(index) for index in re.findall(r"<tr><td>(\d+)</td>", listed)]
    assert set(indices) <= set(wrong.tolist())
    assert len(indices) == min(20, len(wrong))


def test_faces_are_shown_only_if_asked_for_and_then_with_a_warning(evaluation: Evaluation) -> None:
    without, shown = written(evaluation), written(evaluation, show_faces=True)
    assert "Do not pass it on" in shown
    assert "Do not pass it on" not in without
    faces = [attributes for tag, attributes in structure(shown).seen if tag == "img"]
    assert faces
    assert all(str(face["src"]).startswith("data:image/png;base64,") and face["alt"] for face in faces)


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (None, "does not lie beside it"),
        ([], "the file of the network holds none"),
        (
            [CurvePoint(number=340, loss=1.5, accuracy={"ferplus8": 0.86})],
            "the file of the network holds one epoch alone",
        ),
        ([CurvePoint(number=n, loss=1.0 / n, accuracy={"ferplus8": 0.5 + n / 50}) for n in (1, 2, 3)], "over 3 epochs"),
    ],
)
def test_the_training_is_drawn_where_it_is_known(
    evaluation: Evaluation, curve: list[CurvePoint] | None, words: str
) -> None:
    record = None
    if curve is not None:
        record = TrainingRecord(
            recipe="told",
            labels=list(LABELS),
            protocol="ferplus8",
            multiply=1.0,
            add=0.0,
            per_image=False,
            crop=evaluation.model.input.crop,
            data="made up",
            epochs=3,
            seed=0,
            curve=curve,
        )
    text = written(replace(evaluation, model=replace(evaluation.model, record=record)))
    assert words in text
    structure(text)


def test_ties_and_pictures_without_a_face_are_told_apart(told: Told) -> None:
    labels = PROTOCOLS["fer4"]
    model = told(labels, [(0.1, 0.7, 0.1, 0.1), (0.4, 0.4, 0.1, 0.1), (0.1, 0.1, 0.1, 0.7)])
    data = replace(held_out(["happy", "happy", "happy", "sad"]), missed=(2,))
    evaluation = evaluate(model, data, "fer4")
    crop: dict[str, str | int] = {"detector": "haar-alt2", "found": 3, "not_found": 1, "cropped_before": 0}
    text = " ".join(page(evaluation, figures(evaluation, crop), WORDS).split())
    assert "the top outputs are equal in 1 images" in text
    assert "In 1 it found none, and no other figure includes these; as whole pictures 0.0% of them are read" in text
    assert "the top outputs" not in written(evaluate(model, held_out(["happy"]), "fer4"))


def test_a_page_without_corruptions_does_not_speak_of_a_worse_camera(evaluation: Evaluation) -> None:
    robustness = {"none": evaluation.robustness["none"]}
    structure(text := written(replace(evaluation, robustness=robustness)))
    for words in ("Through a worse camera", "small camera"):
        assert words in written(evaluation)
        assert words not in text


def test_names_are_text_and_never_html(evaluation: Evaluation) -> None:
    hostile = "<script>alert('it')</script>"
    model = replace(
        evaluation.model,
        title=hostile,
        recipe=hostile,
        learned_from=hostile,
        labels=(*evaluation.model.labels[:-1], hostile),
        enter=dict.fromkeys((*evaluation.model.labels, hostile), 0.5),
    )
    hostile_one = replace(evaluation, model=model, data=replace(evaluation.data, part=hostile, notes=(hostile,)))
    text = page(hostile_one, figures(hostile_one), ["evaluate-model", hostile], show_faces=True)
    assert "script" not in {tag for tag, _ in structure(text).seen}
    # Four in title and heading (model and data), four in command, note, threshold and mistakes, four in the card.
    assert text.count("&lt;script&gt;alert(") == 12


def test_a_plot_is_described_in_escaped_words() -> None:
    drawing = plots.svg("x", 'a "<b>" & c', lambda axes: None)
    assert 'aria-label="a &#34;&lt;b&gt;&#34; &amp; c"' in drawing


def test_a_name_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="model"):
        render("card.html", {})


@pytest.mark.parametrize(
    ("protocol", "words", "enter"),
    [
        pytest.param("fer4", ["happy"], True, id="one image"),
        pytest.param("fer4", ["happy"] * 5, False, id="one label, no thresholds"),
        pytest.param("fer7", ["happy", "sad", "contempt"], True, id="a word outside"),
    ],
)
def test_a_page_of_little_breaks_nothing(told: Told, protocol: str, words: list[str], *, enter: bool) -> None:
    labels = PROTOCOLS[protocol]
    row = [0.1 / (len(labels) - 1)] * len(labels)
    row[labels.index("happy")] = 0.9
    model = told(labels, [row], dict.fromkeys(labels, 0.5) if enter else None)
    structure(written(evaluate(model, held_out(words), protocol)))
