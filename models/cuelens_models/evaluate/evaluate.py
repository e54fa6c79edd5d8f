"""Figures of a model on the held-out faces of a protocol."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.scores import Scores
from cuelens_models.data.corruptions import CORRUPTIONS, NONE, corrupted
from cuelens_models.data.load import HeldOut
from cuelens_models.data.protocols import PROTOCOLS, label, left_out
from cuelens_models.errors import BadInput
from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.candidate import Candidate
from cuelens_models.evaluate.intervals import COVERED, Intervals, intervals
from cuelens_models.progress import Recorder, Steps

_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model answered, and how good that is.

    chosen: indices of the protocol's images into the held-out faces (n,). truth: indices into labels (n,).
    whole: the model's own distribution (n, model's labels). asked: among the protocol's labels only, (n, labels).
    robustness: accuracy by corruption, "none" first. uncounted: faces outside the protocol, by what they are.
    """

    model: Candidate
    data: HeldOut
    protocol: str
    labels: tuple[str, ...]
    chosen: NDArray[np.intp]
    truth: NDArray[np.intp]
    whole: Scores
    asked: Scores
    intervals: Intervals
    robustness: dict[str, float]
    uncounted: dict[str, int]

    @property
    def words(self) -> NDArray[np.str_]:
        """The truth in words, (n,)."""
        return np.array(self.labels)[self.truth]


def evaluate(model: Candidate, data: HeldOut, protocol: str, steps: Steps | None = None) -> Evaluation:
    """Measure a model on the held-out faces of a protocol, as they are and corrupted.

    A model with more labels than the protocol answers among the protocol's own; one with fewer raises BadInput.
    """
    steps = steps or Recorder()
    missing = [word for word in PROTOCOLS[protocol] if word not in model.labels]
    if missing:
        raise BadInput(f"{model.path} cannot say {', '.join(sorted(missing))}, which {protocol} asks for")
    labelled = label(data.faces, protocol)
    faces = data.faces.pixels[labelled.chosen]
    columns = [model.labels.index(word) for word in labelled.labels]
    robustness = {}
    whole = asked = np.empty((0, 0))
    for name in (NONE, *CORRUPTIONS):
        steps.stage("faces as they are" if name == NONE else f"faces with {name.replace('_', ' ')}", len(faces))
        answers = model.answer(corrupted(faces, name), steps.advance)
        among = answers[:, columns] / answers[:, columns].sum(axis=1, keepdims=True)
        robustness[name] = metrics.accuracy(among, labelled.truth)
        if name == NONE:
            whole, asked = answers, among
    steps.stage("intervals")
    return Evaluation(
        model,
        data,
        protocol,
        labelled.labels,
        labelled.chosen,
        labelled.truth,
        whole,
        asked,
        intervals(asked, labelled.truth, labelled.labels),
        robustness,
        left_out(data.faces, labelled, protocol),
    )


def figures(found: Evaluation, crop: dict[str, str | int] | None = None) -> dict[str, Any]:
    """Return the figures as plain data: fractions rounded to five digits.

    crop: what the detector met, where it was asked. `said` is None without thresholds, `not_a_face` without the label.
    """
    asked, truth, labels = found.asked, found.truth, found.labels
    drawn = found.intervals
    listed = {
        "protocol": f"{found.protocol} on {found.data.part}",
        "images": len(truth),
        "accuracy": metrics.accuracy(asked, truth),
        "macro_f1": metrics.macro_f1(asked, truth),
        "recall": metrics.recall(asked, truth, labels),
        "ece": metrics.ece(asked, truth),
        "coverage": metrics.coverage(asked, truth),
        "macro_f1_all": metrics.macro_f1(asked, truth, least=1),
        "auc": metrics.auc(asked, truth, labels),
        "precision": metrics.precision(asked, truth, labels),
        "f1": metrics.f1(asked, truth, labels),
        "said": said(found),
        "not_a_face": not_a_face(found),
        "intervals": {
            "accuracy": drawn.accuracy,
            "macro_f1": drawn.macro_f1,
            "macro_f1_all": drawn.macro_f1_all,
            "ece": drawn.ece,
            "coverage": {f"{COVERED:g}": drawn.coverage},
            "recall": drawn.recall,
        },
        "robustness": found.robustness,
        "cost": {
            "parameters": found.model.cost.parameters,
            "multiply_adds": found.model.cost.multiply_adds,
            "bytes": found.model.cost.bytes,
        },
        **({"crop": crop} if crop else {}),
        "notes": notes(found),
    }
    return {name: _rounded(value) for name, value in listed.items()}


def said(found: Evaluation) -> dict[str, float | None] | None:
    """Return the share of images that something would be said of, and how often rightly; None without thresholds."""
    if found.model.enter is None:
        return None
    told = metrics.said(metrics.spoken(found.whole, found.model.labels, found.model.enter), found.words)
    return {"share": told.share, "accuracy": told.accuracy}


def not_a_face(found: Evaluation) -> float | None:
    """Return the share of these images that the model takes for no face; None if it has no such label."""
    if NOT_A_FACE not in found.model.labels:
        return None
    return float((found.whole.argmax(axis=1) == found.model.labels.index(NOT_A_FACE)).mean())


def notes(found: Evaluation) -> list[str]:
    """Return what the reader of the figures should know: sentences without a full stop."""
    if not found.uncounted:
        return list(found.data.notes)
    kinds = ", ".join(f"{word} {count}" for word, count in found.uncounted.items())
    total = sum(found.uncounted.values())
    outside = f"{total} of {len(found.data.faces)} faces do not count under {found.protocol} ({kinds})"
    return [*found.data.notes, outside]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_rounded(inner) for inner in value]
    return value
