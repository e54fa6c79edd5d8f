"""The model card against the contract of the network that ships."""

import re
from pathlib import Path

from cuelens_models.bundle.file import SHIPPED, load

CARD = (Path(__file__).resolve().parents[1] / "docs" / "model-card.md").read_text("utf-8")


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
