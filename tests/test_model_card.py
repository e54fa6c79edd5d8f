"""The model card against the network that ships: its contract, and what `evaluate-model` prints of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cuelens_models.bundle.file import SHIPPED, load

DOCS = Path(__file__).resolve().parents[1] / "docs"
CARD = (DOCS / "model-card.md").read_text("utf-8")


def test_the_card_is_about_the_network_that_ships() -> None:
    bundle = load(SHIPPED)
    contract = bundle.contract
    assert f"`{contract.name}` {contract.version}" in CARD
    match = re.search(r"`([0-9a-f]{12})\.\.\.`", CARD)
    assert match
    assert match[1] in contract.title()
    assert f"{', '.join(contract.labels)} |" in CARD


def test_the_figures_of_the_card_are_those_of_the_contract() -> None:
    contract = load(SHIPPED).contract
    metrics, parity = contract.metrics, contract.parity
    assert metrics
    assert parity
    assert f"{metrics.images:,} faces" in CARD
    assert f"| {metrics.accuracy:.1%} ({parity.float_accuracy:.1%}) |".replace("%", " %") in CARD
    assert f"macro-F1, of the classes with 50 faces or more | {metrics.macro_f1:.2f} |" in CARD
    assert f"expected calibration error | {metrics.ece:.1%} |".replace("%", " %") in CARD
    assert f"A temperature of {contract.probabilities.temperature}" in CARD
    # The file of the repository is the model and what describes it.
    assert f"{round(SHIPPED.stat().st_size / 1024)} KiB" in CARD


def shares(page: str, row: str) -> list[float]:
    """Return the percentages of the table's row that begins with these words, as shares."""
    (values,) = re.findall(rf"^\| {row} \| ([^`\n]*)", page, re.MULTILINE)
    return [float(value) / 100 for value in re.findall(r"([\d.]+) %", values)]


@pytest.mark.data
def test_the_figures_on_held_out_faces_are_those_that_the_command_prints(data_dir: Path) -> None:
    command = [Path(sys.executable).with_name("evaluate-model"), SHIPPED, "--data", data_dir, "--corruptions", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    report = json.loads(done.stdout)
    figures = (DOCS / "figures.md").read_text("utf-8")
    # Kernels round differently between processors: a few images of three thousand change sides.
    near = {"abs": 0.002}
    surest, camera = report["coverage"]["0.6"], report["robustness"]["camera"]
    for page in (CARD, figures):
        assert shares(page, ".*60 % of faces that it is surest of") == pytest.approx([surest], **near)
        assert shares(page, "the same faces as a small camera sees them") == pytest.approx([camera], **near)
    said = re.search(r"60 % of faces that it is surest of, it is right ([\d.]+) %", figures)
    assert said
    assert float(said[1]) / 100 == pytest.approx(surest, **near)
    # Of the rarest class, one image is four points.
    assert shares(CARD, "found") == pytest.approx(list(report["recall"].values()), abs=0.05)
