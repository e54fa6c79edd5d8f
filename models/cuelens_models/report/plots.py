"""The pictures of the page, as SVG that stands inside HTML: it takes the page's font and colours, and loads nothing."""

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

import matplotlib
import numpy as np
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
"""Of middling lightness, so that they stand out on white and on black, after Okabe and Ito's palette."""
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
_NO_METADATA: Final[dict[str, Any]] = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def training_curve(points: Sequence[CurvePoint]) -> str:
    """Return accuracy by epoch on the inner split, for each protocol that was judged."""
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


def roc(found: Evaluation) -> str:
    """Return the ROC curve of each label."""
    areas = metrics.auc(found.asked, found.truth, found.labels)
    if not areas:
        return "<p>All images show the same, so there is nothing to tell apart.</p>"

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#808080", linewidth=0.8, linestyle="--")
        for label, area in areas.items():
            index = found.labels.index(label)
            false_rate, true_rate = metrics.roc(found.asked[:, index], found.truth == index)
            kept = _few(false_rate, true_rate)
            axes.plot(false_rate[kept], true_rate[kept], color=_COLOURS[label], label=f"{label} {area:.3f}")
        axes.set_xlabel("share of the other images taken for it")
        axes.set_ylabel("share of its images found")
        axes.legend(loc="lower right", title="AUC", fontsize=9)

    said = ", ".join(f"{label} {area:.3f}" for label, area in areas.items())
    return svg("roc", f"ROC curves, one label against the rest. Areas under them: {said}.", draw, height=4.2)


def reliability(found: Evaluation) -> str:
    """Return accuracy against confidence, in the bins of the ECE."""
    confidence, accuracy, share = metrics.reliability(found.asked, found.truth)
    many = share * len(found.truth) >= _FEW_IMAGES
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

    ece = metrics.ece(found.asked, found.truth)
    return svg("reliability", f"Accuracy against confidence in {metrics.BINS} bins; ECE {ece:.3f}.", draw)


def coverage(found: Evaluation) -> str:
    """Return the accuracy on the share of the images that the model is surest of."""
    order = np.argsort(-found.asked.max(axis=1), kind="stable")
    right = (found.asked.argmax(axis=1) == found.truth)[order]
    share = np.arange(1, len(right) + 1) / len(right)
    accuracy = np.cumsum(right) / np.arange(1, len(right) + 1)
    # The first few images say little and jump a lot.
    kept = np.unique(np.linspace(min(20, len(right) - 1), len(right) - 1, 200).astype(int))

    def draw(axes: Axes) -> None:
        axes.plot(share[kept], accuracy[kept], color=ACCENT)
        low, high = found.intervals.coverage
        at = metrics.coverage(found.asked, found.truth)[f"{COVERED:g}"]
        axes.errorbar([COVERED], [at], [[max(0, at - low)], [max(0, high - at)]], color=ACCENT, fmt="o", capsize=4)
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_xlabel("share of the images answered, the surest first")
        axes.set_ylabel("accuracy")

    values = metrics.coverage(found.asked, found.truth)
    said = ", ".join(f"{float(part):.0%} of the images {value:.1%}" for part, value in values.items())
    return svg("coverage", f"Accuracy against coverage: on {said}.", draw)


def robustness(found: Evaluation) -> str:
    """Return bars of the accuracy under each corruption."""
    names = [name.replace("_", " ").replace("none", "as they are") for name in found.robustness]
    values = list(found.robustness.values())

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

    said = ", ".join(f"{name} {value:.1%}" for name, value in zip(names, values, strict=True))
    return svg("robustness", f"Accuracy on corrupted faces: {said}.", draw)


def svg(name: str, alternative: str, draw: Callable[[Axes], None], height: float = 3.4) -> str:
    """Return a drawing as an element of the page. The same drawing gives the same text."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(4.6, height), layout="constrained")
        draw(figure.subplots())
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata=_NO_METADATA, transparent=True)
    text = target.getvalue()
    text = text[text.index("<svg") :].strip()
    # Several drawings share one page: every name inside one becomes its own.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'\s+(xmlns(:\w+)?|width|height|version)="[^"]*"', "", text, count=5)
    text = text.replace("#000000", "currentColor").replace("xlink:href", "href")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(alternative)}"', 1)


def _few(false_rate: Scores, true_rate: Scores) -> list[int]:
    """Return the corners of a staircase that 2 parts of 1000 tell apart: thousands of steps would bloat the page."""
    kept = [0]
    for place in range(1, len(false_rate)):
        last = kept[-1]
        if max(false_rate[place] - false_rate[last], true_rate[place] - true_rate[last]) >= 0.002:
            kept.append(place)
    return kept if kept[-1] == len(false_rate) - 1 else [*kept, len(false_rate) - 1]
