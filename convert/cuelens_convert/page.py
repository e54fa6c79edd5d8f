"""The page about a conversion: what was lost and where, what the runtime does with the model, how long it takes."""

import os
import platform
import shlex
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from cuelens_convert import summary
from cuelens_convert.convert import Outcome
from cuelens_convert.diagnose import Diagnosis
from cuelens_convert.layer_errors import NOISY_DB, WIDE, LayerError
from cuelens_models.bundle.pixels import Grey
from cuelens_models.report.plots import ACCENT, svg
from cuelens_models.report.render import render
from cuelens_models.report.tables import confusion


def page(outcome: Outcome, examined: Diagnosis, words: Sequence[str]) -> str:
    """Return a whole HTML page.

    Args:
        outcome: the conversion, written or refused.
        examined: its layers, operations and latencies.
        words: the command line that makes the bundle again.
    """
    judged, contract, images = outcome.attempt.comparison, outcome.contract, outcome.representative
    rare = judged.rare()
    return render(
        "conversion.html",
        {
            "name": outcome.source.name,
            "scheme": outcome.options.scheme,
            "refusal": outcome.refusal,
            "command": shlex.join(words),
            "parity": contract.parity,
            "ece": contract.metrics.ece,
            "temperature": contract.probabilities.temperature,
            "model_bytes": len(outcome.attempt.model),
            "float_bytes": examined.float_bytes,
            "judged": judged,
            "losses": [judged.loss(), *judged.class_losses(), *([rare] if rare else [])],
            "advice": list(summary.advice(examined.errors, examined.spread, outcome)),
            "network_facts": [*outcome.source.facts, *outcome.tried],
            "needed": outcome.needed,
            "confusions": {
                name: confusion(judged.truth, logits.argmax(axis=1), len(judged.labels))
                for name, logits in (("before", judged.float_logits), ("after", judged.converted_logits))
            },
            "errors": examined.errors,
            "noisy_db": NOISY_DB,
            "wide_spreads": {name: value for name, value in examined.spread.items() if value > WIDE},
            "image_count": len(images.faces),
            "image_source": images.origin,
            "images_by_label": images.by_label,
            "operations": examined.operations,
            "latencies": list(zip(examined.before, examined.after, strict=True)),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "plots": {"noise": _noise(examined.errors), "levels": _levels(images.faces)},
        },
    )


def _noise(errors: Sequence[LayerError]) -> Markup:
    def draw(axes: Axes) -> None:
        places = np.arange(len(errors))
        axes.barh(places, [error.snr_db for error in errors], color=ACCENT)
        axes.axvline(NOISY_DB, color="#d55e00", linestyle="--", linewidth=1)
        axes.set_yticks(places, [error.name for error in errors], fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel("signal to noise, dB")

    values = ", ".join(f"{error.name} {error.snr_db:.0f} dB" for error in errors)
    return svg("noise", f"Signal to noise by layer: {values}.", draw, max(2.0, 0.24 * len(errors) + 0.8))


def _levels(faces: Grey) -> Markup:
    counts = np.bincount(faces.ravel(), minlength=256)

    def draw(axes: Axes) -> None:
        axes.fill_between(np.arange(256), counts / counts.sum() * 100, step="mid", color=ACCENT, alpha=0.7)
        axes.set(xlabel="grey level", ylabel="% of pixels", xlim=(0, 255), ylim=(0, None))

    return svg("levels", "How often each grey level stands in the representative images.", draw, 2.6)
