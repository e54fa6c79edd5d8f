"""Plots for a page, as inline SVG. They use the fonts and colours of the page, and load no other file."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cuelens_models.bundle.scores import Scores
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.evaluate import Evaluation
from cuelens_models.evaluate.intervals import COVERED

_COLOURS: Final = {
    "neutral": "#8c8c8c",
    "happy": "#d99b00",
    "surprise": "#3aa3dd",
    "sad": "#3f6fd1",
    "angry": "#d55e00",
    "disgust": "#009e73",
    "fear": "#c4619a",
    "contempt": "#9a7048",
}
"""After Okabe and Ito's palette. Of medium lightness, for contrast with white and with black."""
ACCENT: Final = "#2f80c8"
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#808080",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
_FEW_IMAGES: Final = 20
"""A bin with fewer images is drawn hollow."""
_NO_METADATA: Final[dict[str, Any]] = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def training_curve(points: Sequence[CurvePoint]) -> Markup:
    """Plot accuracy on the inner split by epoch, for each protocol, and the loss."""
    numbers = [point.number for point in points]

    def draw(axes: Axes) -> None:
        for name in points[-1].accuracy:
            axes.plot(numbers, [point.accuracy.get(name, np.nan) for point in points], label=f"accuracy, {name}")
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy on the inner split")
        loss = axes.twinx()
        loss.plot(numbers, [point.loss for point in points], color="#808080", linestyle=":", label="loss")
        loss.set_ylabel("loss (dotted)")
        loss.grid(visible=False)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=9)

    last = ", ".join(f"{value:.1%} under {name}" for name, value in points[-1].accuracy.items())
    return svg("training", f"Accuracy on the inner split over {len(points)} epochs; at the end {last}.", draw)


def roc(evaluation: Evaluation) -> Markup | None:
    """Plot the ROC curve of each label; return None if all images show the same one."""
    areas = metrics.auc(evaluation.probabilities, evaluation.truth, evaluation.labels)
    if not areas:
        return None

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#808080", linewidth=0.8, linestyle="--")
        for label, area in areas.items():
            index = evaluation.labels.index(label)
            false_rate, true_rate = metrics.roc(evaluation.probabilities[:, index], evaluation.truth == index)
            corners = _thinned(false_rate, true_rate)
            axes.plot(false_rate[corners], true_rate[corners], color=_COLOURS[label], label=f"{label} {area:.3f}")
        axes.set_xlabel("share of the other images taken for it")
        axes.set_ylabel("share of its images found")
        axes.legend(loc="lower right", title="AUC", fontsize=9)

    listed = ", ".join(f"{label} {area:.3f}" for label, area in areas.items())
    return svg("roc", f"ROC curves, one label against the rest. Areas under them: {listed}.", draw, height=4.2)


def reliability(evaluation: Evaluation) -> Markup:
    """Plot accuracy against confidence, in the bins of the ECE."""
    confidence, accuracy, share = metrics.reliability(evaluation.probabilities, evaluation.truth)
    many = share * len(evaluation.truth) >= _FEW_IMAGES
    few = f"fewer than {_FEW_IMAGES} images"

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#808080", linewidth=0.8, linestyle="--")
        axes.bar(confidence, share, width=0.04, color="#808080", alpha=0.45, label="share of the images")
        axes.plot(confidence[many], accuracy[many], color=ACCENT, marker="o", markersize=5, label="accuracy")
        axes.plot(confidence[~many], accuracy[~many], "o", color=ACCENT, markersize=4, fillstyle="none", label=few)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("confidence")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=9, columnspacing=1, handlelength=1.2)

    ece = metrics.ece(evaluation.probabilities, evaluation.truth)
    return svg("reliability", f"Accuracy against confidence in {metrics.BINS} bins; ECE {ece:.3f}.", draw)


def coverage(evaluation: Evaluation) -> Markup:
    """Plot accuracy against coverage: the share of images answered, highest confidence first."""
    accuracy = metrics.selective_accuracy(evaluation.probabilities, evaluation.truth)
    share = np.arange(1, len(accuracy) + 1) / len(accuracy)
    # The accuracy on the first few images is mostly noise.
    points = np.unique(np.linspace(min(20, len(accuracy) - 1), len(accuracy) - 1, 200).astype(int))

    def draw(axes: Axes) -> None:
        axes.plot(share[points], accuracy[points], color=ACCENT)
        low, high = evaluation.intervals.coverage
        at = metrics.coverage(evaluation.probabilities, evaluation.truth)[f"{COVERED:g}"]
        axes.errorbar([COVERED], [at], [[max(0, at - low)], [max(0, high - at)]], color=ACCENT, fmt="o", capsize=4)
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_xlabel("share of the images answered, the surest first")
        axes.set_ylabel("accuracy")

    values = metrics.coverage(evaluation.probabilities, evaluation.truth)
    listed = ", ".join(f"{float(part):.0%} of the images {value:.1%}" for part, value in values.items())
    return svg("coverage", f"Accuracy against coverage: on {listed}.", draw)


def robustness(evaluation: Evaluation) -> Markup:
    """Plot the accuracy under each corruption, as bars."""
    names = [name.replace("_", " ").replace("none", "as they are") for name in evaluation.robustness]
    values = list(evaluation.robustness.values())

    def draw(axes: Axes) -> None:
        colours = [ACCENT if name in {"as they are", "camera"} else "#8fa3b5" for name in names]
        bars = axes.barh(names, values, color=colours)
        axes.bar_label(bars, [f"{value:.1%}" for value in values], padding=3)
        axes.set_xlim(0, 1.12)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(left=False)
        axes.grid(visible=False)

    listed = ", ".join(f"{name} {value:.1%}" for name, value in zip(names, values, strict=True))
    return svg("robustness", f"Accuracy on corrupted faces: {listed}.", draw)


def svg(name: str, alternative: str, draw: Callable[[Axes], None], height: float = 3.4) -> Markup:
    """Return a plot as an element of the page. The same plot gives the same text.

    Args:
        name: of the plot, unique on its page.
        alternative: the plot in words, for screen readers.
        draw: draws it.
        height: in inches; the width is 4.6.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(4.6, height), layout="constrained")
        draw(figure.subplots())
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata=_NO_METADATA, transparent=True)
    text = target.getvalue()
    text = text[text.index("<svg") :].strip()
    # A page has several plots, and an id must be unique on it.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'\s+(xmlns(:\w+)?|width|height|version)="[^"]*"', "", text, count=5)
    text = text.replace("#000000", "currentColor").replace("xlink:href", "href")
    described = Markup('<svg role="img" aria-label="{}"').format(alternative)
    return Markup(text.replace("<svg", described, 1))  # noqa: S704 - matplotlib escapes the text inside its SVG


def _thinned(false_rate: Scores, true_rate: Scores) -> list[int]:
    """Return the indices of points of a ROC curve at least 0.002 apart: thousands of points would bloat the page."""
    points = [0]
    for place in range(1, len(false_rate)):
        last = points[-1]
        if max(false_rate[place] - false_rate[last], true_rate[place] - true_rate[last]) >= 0.002:
            points.append(place)
    return points if points[-1] == len(false_rate) - 1 else [*points, len(false_rate) - 1]
