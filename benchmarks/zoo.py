"""Evaluate the trained networks of the zoo, and write docs/models.md and the figures of its plot.

    train-model --queue vgg-blocks elu-6 ferplus-bn five-class-transfer four-class --data DATA --out RUNS --budget 60
    python benchmarks/zoo.py RUNS --data DATA [--docs docs]

Every RUNS/NAME/NAME.keras is converted, with the gate and a report of its own (RUNS/NAME/report), and evaluated on the
held-out faces of its own protocol. A network that loses too much is fine-tuned for an epoch. Results are cached in
RUNS/NAME/measured.json. The shipped network is in the table too. `make plots` draws docs/results/models.json.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cuelens_models.bundle import file, training_record
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.command import to_json
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import load
from cuelens_models.data.protocols import label
from cuelens_models.zoo.published import RECIPES

BIN = Path(sys.executable).parent
ELSEWHERE = (
    ("FER+ VGG13", "ferplus8", 876e6, 0.8499),
    ("deepface", "fer7", 28.8e6, 0.574),
)
"""Networks that were not trained here: name, protocol, multiply-adds, and the accuracy that others report."""
HEAD = """\
# The zoo, measured

`python benchmarks/zoo.py RUNS --data DATA` writes this page from the networks that `train-model --queue` left in RUNS.
Accuracy is on FER2013's public test part, under each recipe's own protocol, with a 95 % bootstrap interval. Figures of
different protocols cannot be compared. Only a training of all published epochs is a reproduction.

| recipe | protocol | published | here, float | int8 | epochs run of published | best | minutes | on |
|---|---|---|---|---|---|---|---|---|"""
SECOND = """
| recipe | parameters | multiply-adds | int8 size | int8 loses | what int8 needed | macro-F1 | worst recall |
|---|---|---|---|---|---|---|---|"""
PLOT = """
![accuracy of each network, under its own protocol](models.svg)

## What differs from the originals
"""


@dataclass(frozen=True)
class Measurement:
    """One network: its training record, and the evaluations of the float network and of the bundle.

    before: of the float network. after: of the bundle, empty if it was refused. needed: what the conversion needed, or
    why it was refused.
    """

    record: TrainingRecord
    before: dict[str, Any]
    after: dict[str, Any]
    needed: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    shipped = options.runs / "cuelens" / "cuelens.keras"
    if not shipped.exists():
        shipped.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.SHIPPED.with_suffix(".keras"), shipped)
    names = [name for name in ("cuelens", *RECIPES, "ensemble") if (options.runs / name / f"{name}.keras").exists()]
    measurements = {name: measure(options.runs / name / f"{name}.keras", options.data) for name in names}
    (options.docs / "models.md").write_text(page(measurements))
    found = figures(measurements, load(options.data).held_out)
    (options.docs / "results" / "models.json").write_text(to_json(found) + "\n")
    print(options.docs / "models.md")


def measure(network: Path, data: Path) -> Measurement:
    record = training_record.read(network)
    assert record is not None
    bundle = network.with_suffix(".tflite")
    stamp = hashlib.sha256(network.read_bytes()).hexdigest()
    cache = network.with_name("measured.json")
    if cache.exists() and (old := json.loads(cache.read_text()))["network"] == stamp:
        return Measurement(record, old["before"], old["after"], old["needed"])
    print(f"{network.stem} ...", flush=True)
    convert = [BIN / "convert-model", network, "--data", data, "-o", bundle, "--fine-tune", "1"]
    process = subprocess.run(
        [*convert, "--report", bundle.with_name("report")], capture_output=True, text=True, check=False
    )
    assert process.returncode in (0, 4), process.stderr
    accepted = process.returncode == 0
    before = evaluate(network, data, record.protocol)
    after = evaluate(bundle, data, record.protocol) if accepted else {}
    needed = next(line.removeprefix("needed: ") for line in process.stdout.splitlines() if line.startswith("needed: "))
    if not accepted:
        needed = process.stderr.strip().removeprefix("convert-model: ")
    cache.write_text(json.dumps({"network": stamp, "before": before, "after": after, "needed": needed}))
    return Measurement(record, before, after, needed)


def evaluate(model: Path, data: Path, protocol: str) -> dict[str, Any]:
    command = [BIN / "evaluate-model", model, "--data", data, "--protocol", protocol, "--json"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(process.stdout))


def page(measurements: dict[str, Measurement]) -> str:
    lines = [HEAD]
    lines += [f"| {' | '.join(_training_row(name, one))} |" for name, one in measurements.items()]
    lines.append(SECOND)
    lines += [f"| {' | '.join(_cost_row(name, one))} |" for name, one in measurements.items()]
    lines.append(PLOT)
    families: dict[tuple[str, ...], list[str]] = {}
    for name, recipe in RECIPES.items():
        families.setdefault(recipe.differs, []).append(name)
    for differs, names in families.items():
        lines += [f"**{', '.join(names)}**", "", *[f"- {sentence}" for sentence in differs], ""]
    return "\n".join(lines).rstrip() + "\n"


def _training_row(name: str, one: Measurement) -> list[str]:
    recipe = RECIPES.get(name)
    low, high = one.before["intervals"]["accuracy"]
    curve = one.record.curve
    best = max(curve, key=lambda point: sum(point.accuracy.values())).number if curve else 0
    seconds = sum(point.seconds or 0 for point in curve)
    return [
        f"`{name}`",
        one.record.protocol,
        recipe.published.summary if recipe else "&ndash;",
        f"{one.before['accuracy']:.1%} ({low:.1%} to {high:.1%})",
        f"{one.after['accuracy']:.1%}" if one.after else "refused",
        f"{len(curve)} of {recipe.epochs}" if recipe else str(one.record.epochs),
        str(best),
        f"{seconds / 60:.0f}" if seconds else "&ndash;",
        one.record.device or "&ndash;",
    ]


def _cost_row(name: str, one: Measurement) -> list[str]:
    after = one.after or one.before
    worst = min(one.before["recall"].items(), key=lambda pair: pair[1])
    cost = after["cost"]
    return [
        f"`{name}`",
        f"{one.before['cost']['parameters'] / 1e6:.2f} M",
        f"{cost['multiply_adds'] / 1e6:.0f} M" if cost["multiply_adds"] else "&ndash;",
        f"{cost['bytes'] / 1024:.0f} KiB" if one.after else "&ndash;",
        f"{100 * (one.before['accuracy'] - one.after['accuracy']):+.2f}" if one.after else "&ndash;",
        one.needed,
        f"{one.before['macro_f1']:.3f}",
        f"{worst[0]} {worst[1]:.0%}",
    ]


def figures(measurements: dict[str, Measurement], held_out: Faces) -> dict[str, Any]:
    """Return what is drawn: the networks, those of others, and what the most frequent label alone would get."""
    networks = [
        {
            "name": name,
            "protocol": one.record.protocol,
            "accuracy": one.before["accuracy"],
            "interval": one.before["intervals"]["accuracy"],
            "int8": one.after["accuracy"] if one.after else None,
            "multiply_adds": (one.after or one.before)["cost"]["multiply_adds"],
            "published": recipe.published.accuracy if (recipe := RECIPES.get(name)) else None,
            "whole_training": not recipe or len(one.record.curve) >= recipe.epochs,
        }
        for name, one in measurements.items()
    ]
    others = [dict(zip(("name", "protocol", "multiply_adds", "published"), one, strict=True)) for one in ELSEWHERE]
    shares = {one["protocol"]: majority(held_out, one["protocol"]) for one in networks}
    return {"networks": networks, "elsewhere": others, "majority": shares}


def majority(faces: Faces, protocol: str) -> float:
    """Return the share of the most frequent label."""
    truth = label(faces, protocol).truth
    return round(float(np.bincount(truth).max() / len(truth)), 4)


if __name__ == "__main__":
    main()
