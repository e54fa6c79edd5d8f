"""The tables of the page, as HTML. Percentage points exist here only: what comes in are fractions."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.evaluate import Evaluation
from cuelens_models.evaluate.intervals import Interval

_WORST: Final = 20
_MISSING: Final = "&ndash;"


def classes(found: Evaluation) -> str:
    """Return precision, recall, F1 and AUC of each label with an image, with their intervals."""
    given = (found.asked, found.truth, found.labels)
    precision, f1, areas = metrics.precision(*given), metrics.f1(*given), metrics.auc(*given)
    drawn = found.intervals
    rows = [
        [
            label,
            str(int((found.words == label).sum())),
            _measured(precision.get(label), drawn.precision[label]),
            _measured(recall, drawn.recall[label]),
            _measured(f1[label], drawn.f1[label]),
            _measured(areas.get(label), drawn.auc[label], ".3f"),
        ]
        for label, recall in metrics.recall(*given).items()
    ]
    return table(("label", "images", "precision", "recall", "F1", "AUC"), rows)


def confusion(truth: NDArray[np.intp], answers: NDArray[np.intp], labels: Sequence[str]) -> str:
    """Return how many images of each label got which answer, shaded by the share of the row.

    truth, answers: indices into the labels, (n,).
    """
    size = len(labels)
    counts = np.bincount(truth * size + answers, minlength=size * size).reshape(size, size)
    head = "".join(f'<th scope="col"><span>{label}</span></th>' for label in labels)
    rows = []
    for label, row in zip(labels, counts.tolist(), strict=True):
        shares = [count / max(sum(row), 1) for count in row]
        cells = "".join(
            f'<td style="--share:{share:.3f}">{count}<small>{share:.0%}</small></td>'
            for count, share in zip(row, shares, strict=True)
        )
        rows.append(f'<tr><th scope="row">{label}</th>{cells}</tr>')
    return (
        '<div class="wide"><table class="confusion"><thead><tr><th scope="col">shown ↓ read →</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def said(found: Evaluation) -> str:
    """Return what would be said at each label's threshold, and how often it is right."""
    if found.model.enter is None:
        return "<p>This .keras file has no thresholds: convert it, and evaluate the bundle.</p>"
    words = metrics.spoken(found.whole, found.model.labels, found.model.enter)
    rows = []
    for label in found.model.labels:
        if label in metrics.SILENT:
            continue
        told = words == label
        right = float((found.words == label)[told].mean()) if told.any() else None
        rows.append([label, f"{found.model.enter[label]:.2f}", f"{told.mean():.1%}", _percent(right)])
    total = metrics.said(words, found.words)
    rows.append(["anything", "", f"{total.share:.1%}", _percent(total.accuracy)])
    return table(("label", "threshold", "said, share of all images", "right when said"), rows)


def mistakes(found: Evaluation, *, show_faces: bool) -> str:
    """Return the wrong answers that the model was surest of: where they stand, and the faces only if asked for."""
    guess, confidence = found.asked.argmax(axis=1), found.asked.max(axis=1)
    wrong = np.flatnonzero(guess != found.truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_WORST]
    if len(worst) == 0:
        return "<p>There is no mistake among these images.</p>"
    rows = []
    for place in worst.tolist():
        index = int(found.chosen[place])
        shown, read = found.labels[found.truth[place]], found.labels[guess[place]]
        face = [_picture(found.data.faces.pixels[index], f"face {index}, {shown}")] if show_faces else []
        rows.append([*face, str(index), shown, read, f"{confidence[place]:.1%}"])
    return table((*(["face"] if show_faces else []), "index", "shown", "read", "confidence"), rows)


def plain(rows: Iterable[tuple[str, str]]) -> str:
    """Return a list of names and values."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in rows)}</dl>"


def span(interval: Interval, form: str = ".1%") -> str:
    """Return an interval in words."""
    return f"{interval[0]:{form}} to {interval[1]:{form}}"


def _measured(value: float | None, interval: Interval, form: str = ".1%") -> str:
    return _MISSING if value is None else f"{value:{form}}<small>{span(interval, form)}</small>"


def _percent(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.1%}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells under their titles, as they are: HTML."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _picture(face: Grey, alternative: str) -> str:
    _, packed = cv2.imencode(".png", face)
    data = base64.b64encode(packed.tobytes()).decode()
    return f'<img alt="{escape(alternative)}" width="64" height="64" src="data:image/png;base64,{data}">'
