"""The page about a conversion: what was lost and where, what the runtime does with the model, how long it takes."""

import os
import platform
import shlex
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from matplotlib.axes import Axes

from cuelens_convert import summary
from cuelens_convert.compare import Loss
from cuelens_convert.convert import Outcome
from cuelens_convert.diagnose import Examined
from cuelens_convert.layer_errors import NOISY_DB, WIDE
from cuelens_models.report.document import document, headlines, section
from cuelens_models.report.plots import ACCENT, svg
from cuelens_models.report.tables import confusion, plain, table


def page(outcome: Outcome, examined: Examined, words: Sequence[str]) -> str:
    """Return a whole HTML page. words: the command line that makes the bundle again."""
    verdict = f"Refused: {outcome.refusal}." if outcome.refusal else "It passed the gate."
    under = [escape(verdict), f"<code>{escape(shlex.join(words))}</code>"]
    return document(f"{outcome.source.name} as {outcome.asked.scheme}", under, _sections(outcome, examined))


def _sections(outcome: Outcome, examined: Examined) -> Iterator[str]:
    judged = outcome.attempt.judged
    yield _headlines(outcome, examined)
    if outcome.refusal:
        said = summary.advice(examined.errors, examined.spread, outcome)
        items = "".join(f"<li>{escape(line)}</li>" for line in said)
        yield section("What is to blame, and what to try", "", f"<ul>{items}</ul>")
    yield section("The network", "What was found out before the work started, or told.", plain(outcome.source.facts))
    yield section("What was needed", "", plain([("besides converting", "; ".join(outcome.needed) or "nothing")]))
    yield section(
        "What was lost",
        "p: how often chance alone would tell two equal models apart by as much (McNemar's exact test). Classes with"
        " fewer than 100 images are pooled.",
        _losses(outcome),
    )
    yield '<div class="pair">'
    for name, logits in (("before", judged.float_logits), ("after", judged.converted_logits)):
        drawn = confusion(judged.truth, logits.argmax(axis=1), judged.labels)
        yield section(f"What is taken for what, {name}", "", drawn)
    yield section(
        "After each layer",
        f"Signal to noise of what each layer gives, against the float network. A layer under {NOISY_DB:g} dB that is"
        " more than a step of its scale off is to blame.",
        _noise(examined) + _layers(examined),
    )
    yield section(
        "Representative images",
        f"{len(outcome.representative.faces)} faces, {escape(outcome.representative.said)}: how often each grey level"
        " stands in them.",
        _histogram(outcome) + plain((word, str(count)) for word, count in outcome.representative.by_label.items()),
    )
    yield "</div>"
    yield section(
        "Operations",
        "In the runtime of the glasses, with their share of one thread's time on this machine. What XNNPACK does not"
        " take runs in slower kernels.",
        _operations(examined),
    )
    yield section("Latency on this machine", _machine(), _latency(examined))


def _headlines(outcome: Outcome, examined: Examined) -> str:
    parity, scored = outcome.contract.parity, outcome.contract.metrics
    judged = outcome.attempt.judged
    small = len(outcome.attempt.model)
    return headlines(
        [
            ("lost", f"{judged.loss().points:+.2f}", f"points of accuracy on {parity.images:,} images"),
            ("accuracy", f"{parity.converted_accuracy:.1%}", f"of float {parity.float_accuracy:.1%}"),
            ("agreement", f"{parity.agreement:.1%}", "of images that both name alike"),
            ("ECE", f"{scored.ece:.3f}", f"at temperature {outcome.contract.probabilities.temperature:g}"),
            ("size", f"{small / 1024:.0f} KiB", f"float32 has {examined.float_bytes / 1024:.0f} KiB"),
            ("largest difference", f"{judged.largest_difference:.2f}", "of a logit"),
        ]
    )


def _losses(outcome: Outcome) -> str:
    judged = outcome.attempt.judged
    rare = judged.rare()
    losses = [judged.loss(), *judged.class_losses(), *([rare] if rare else [])]
    return table(("group", "images", "points lost", "p"), map(_loss, losses))


def _loss(loss: Loss) -> list[str]:
    return [escape(loss.name), f"{loss.images:,}", f"{loss.points:+.2f}", f"{loss.chance:.2g}"]


def _noise(examined: Examined) -> str:
    errors = examined.errors

    def draw(axes: Axes) -> None:
        places = np.arange(len(errors))
        axes.barh(places, [error.snr_db for error in errors], color=ACCENT)
        axes.axvline(NOISY_DB, color="#d55e00", linestyle="--", linewidth=1)
        axes.set_yticks(places, [error.name for error in errors], fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel("signal to noise, dB")

    said = ", ".join(f"{error.name} {error.snr_db:.0f} dB" for error in errors)
    return svg("noise", f"Signal to noise by layer: {said}.", draw, max(2.0, 0.24 * len(errors) + 0.8))


def _layers(examined: Examined) -> str:
    rows = [
        [
            escape(error.name) + (" <b>to blame</b>" if error.to_blame else ""),
            f"{error.snr_db:.1f} dB",
            f"{error.steps:.2f}" if error.steps < 1e4 else "&ndash;",
        ]
        for error in examined.errors
    ]
    wide = {name: value for name, value in examined.spread.items() if value > WIDE}
    said = "".join(f"<p>{escape(name)}: the weights spread {value:.0f} times.</p>" for name, value in wide.items())
    return table(("layer", "signal to noise", "steps off"), rows) + said


def _histogram(outcome: Outcome) -> str:
    counts = np.bincount(outcome.representative.faces.ravel(), minlength=256)

    def draw(axes: Axes) -> None:
        axes.fill_between(np.arange(256), counts / counts.sum() * 100, step="mid", color=ACCENT, alpha=0.7)
        axes.set(xlabel="grey level", ylabel="% of pixels", xlim=(0, 255), ylim=(0, None))

    return svg("levels", "How often each grey level stands in the representative images.", draw, 2.6)


def _operations(examined: Examined) -> str:
    rows = [
        [
            f"{number}. {each.kind}",
            escape(each.layer),
            "x".join(map(str, each.shape[1:])),
            each.dtype,
            "XNNPACK" if each.delegated else "<b>left out</b>",
            f"{each.share:.1%}",
        ]
        for number, each in enumerate(examined.operations, start=1)
    ]
    return table(("operation", "layer", "gives", "as", "taken by", "time"), rows)


def _latency(examined: Examined) -> str:
    rows = [
        [str(before.threads), *(f"{value:.0f}" for value in (before.p50_us, before.p95_us, after.p50_us, after.p95_us))]
        for before, after in zip(examined.before, examined.after, strict=True)
    ]
    return table(("threads", "float p50, µs", "p95", "converted p50, µs", "p95"), rows)


def _machine() -> str:
    return f"{escape(platform.machine())}, {os.cpu_count()} cores; a Pi's are several times slower."
