"""The page of an evaluation. The same evaluation gives the same bytes."""

import shlex
from collections.abc import Sequence
from typing import Any

from cuelens_models.evaluate.evaluate import Evaluation
from cuelens_models.evaluate.intervals import SAMPLES
from cuelens_models.evaluate.metrics import ENOUGH
from cuelens_models.report import plots, tables
from cuelens_models.report.render import render


def page(evaluation: Evaluation, figures: dict[str, Any], words: Sequence[str], *, show_faces: bool = False) -> str:
    """Return a whole HTML page.

    Args:
        evaluation: the answers of a model, with their intervals.
        figures: what `evaluate.figures` returns for it.
        words: the command line.
        show_faces: show the faces of the worst mistakes, and a warning not to pass the page on.
    """
    record, answers = evaluation.model.record, evaluation.probabilities.argmax(axis=1)
    return render(
        "evaluation.html",
        {
            "evaluation": evaluation,
            "model": evaluation.model,
            "figures": figures,
            "command": shlex.join(words),
            "show_faces": show_faces,
            "samples": SAMPLES,
            "enough": ENOUGH,
            "classes": tables.classes(evaluation),
            "confusions": tables.confusion(evaluation.truth, answers, len(evaluation.labels)),
            "cues": tables.cues(evaluation),
            "mistakes": tables.mistakes(evaluation, show_faces=show_faces),
            "plots": {
                "roc": plots.roc(evaluation),
                "reliability": plots.reliability(evaluation),
                "coverage": plots.coverage(evaluation),
                "robustness": plots.robustness(evaluation) if len(evaluation.robustness) > 1 else None,
                "training": plots.training_curve(record.curve) if record and len(record.curve) > 1 else None,
            },
        },
    )
