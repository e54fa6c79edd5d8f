"""The page of an evaluation. The same evaluation gives the same bytes."""

import shlex
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from cuelens_models.evaluate.evaluate import Evaluation
from cuelens_models.evaluate.intervals import SAMPLES
from cuelens_models.evaluate.metrics import ENOUGH
from cuelens_models.report import plots, tables
from cuelens_models.report.card import card
from cuelens_models.report.document import document, headlines, section


def page(found: Evaluation, said: dict[str, Any], words: Sequence[str], *, show_faces: bool = False) -> str:
    """Return a whole HTML page.

    said: what `figures` made of the evaluation. words: the command line. show_faces: with the faces of the worst
    mistakes, and a warning not to pass the page on.
    """
    return document(
        f"{found.model.title}: {said['protocol']}",
        [
            f"{said['images']:,} images. Brackets and small print: 95 % intervals ({SAMPLES} bootstraps).",
            f"<code>{escape(shlex.join(words))}</code>",
        ],
        _sections(found, said, show_faces=show_faces),
    )


def _sections(found: Evaluation, said: dict[str, Any], *, show_faces: bool) -> Iterator[str]:
    if show_faces:
        yield (
            '<p class="warning">This page shows faces of people who were not asked. Do not pass it on, and delete it'
            " when it has been looked at.</p>"
        )
    yield _headlines(found, said)
    yield "".join(f'<p class="hint">Note: {escape(note)}.</p>' for note in said["notes"])
    yield section(
        "Each expression",
        "Precision: how often the answer is right when it is given. Recall: how many of its images are found.",
        tables.classes(found),
    )
    yield section(
        "What is taken for what",
        "A row is what an image shows, a column what was read. The percentages are shares of the row.",
        tables.confusion(found.truth, found.asked.argmax(axis=1), found.labels),
    )
    yield '<div class="pair">'
    yield section("Telling one from the rest", "A better model's lines keep to the upper left.", plots.roc(found))
    yield section(
        "Is it as sure as it is right?",
        f"On the dashed line it would be. The mean distance is the ECE, {said['ece']:.3f}.",
        plots.reliability(found),
    )
    yield section(
        "When it only answers if it is sure",
        "Accuracy on the images that it is surest of.",
        plots.coverage(found),
    )
    yield section(
        "Through a worse camera",
        "Accuracy on the same faces with fixed damage. “camera” is all that a small camera does at once.",
        plots.robustness(found),
    )
    yield "</div>"
    yield section(
        "What would be said",
        "One picture alone, at the thresholds of the bundle. On the glasses an expression also has to last.",
        tables.said(found),
    )
    yield section(
        "The worst mistakes",
        f"Wrong answers that it was surest of. The index counts the faces of {escape(found.data.part)} from 0.",
        tables.mistakes(found, show_faces=show_faces),
    )
    yield section("How it was trained", "", _training(found))
    yield section("What it costs", "", _cost(said))
    yield section("Model card", "", card(found.model))


def _headlines(found: Evaluation, said: dict[str, Any]) -> str:
    drawn, told = found.intervals, said["said"]
    over_all = f"over all of them {said['macro_f1_all']:.3f} ({tables.span(drawn.macro_f1_all, '.3f')})"
    boxes = [
        ("accuracy", f"{said['accuracy']:.1%}", f"of all images are read rightly ({tables.span(drawn.accuracy)})"),
        (
            "macro-F1",
            f"{said['macro_f1']:.3f}",
            f"the mean over classes of {ENOUGH} images or more ({tables.span(drawn.macro_f1, '.3f')}); {over_all}",
        ),
        ("ECE", f"{said['ece']:.3f}", f"how far confidence is from accuracy ({tables.span(drawn.ece, '.3f')})"),
        (
            "the surer 60 %",
            f"{said['coverage']['0.6']:.1%}",
            f"accuracy on the images that it is surest of ({tables.span(drawn.coverage)})",
        ),
        ("small camera", f"{said['robustness']['camera']:.1%}", "accuracy when the faces come through a small camera"),
    ]
    if told:
        right = "" if told["accuracy"] is None else f", and it is right {told['accuracy']:.1%} of the time"
        boxes.append(("said", f"{told['share']:.1%}", f"of the images would have something said of them{right}"))
    if said["not_a_face"] is not None:
        boxes.append(("no face", f"{said['not_a_face']:.1%}", "of these images are taken for no face"))
    if crop := said.get("crop"):
        others = (
            f"{crop['not_found']:,} without are used whole, {crop['cropped_before']:,} were small enough to be faces"
        )
        boxes.append(("faces found", f"{crop['found']:,}", f"pictures in which the detector found one; {others}"))
    return headlines(boxes)


def _training(found: Evaluation) -> str:
    trained = found.model.trained
    if trained is None:
        return "<p>There is no training curve: the network that this bundle was made from does not lie beside it.</p>"
    if not trained.curve:
        return "<p>There is no training curve: the file of the network holds none.</p>"
    return plots.training_curve(trained.curve)


def _cost(said: dict[str, Any]) -> str:
    cost = said["cost"]
    names = {"parameters": "weights and biases", "multiply_adds": "multiply-adds for one face"}
    rows = [(words, "not counted" if cost[key] is None else f"{cost[key]:,}") for key, words in names.items()]
    return tables.plain([*rows, ("size of the file", f"{cost['bytes'] / 1024:.0f} KiB")])
