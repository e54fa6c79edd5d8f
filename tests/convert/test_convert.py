import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")

from cuelens_convert.digest import same_but_for_rounding
from cuelens_models.bundle import file, flatbuffer, golden
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.data.load import load_held_out
from cuelens_models.evaluate.candidate import open_candidate
from cuelens_models.evaluate.evaluate import evaluate, figures

KERAS = Path(__file__).resolve().parents[2] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # The converter warns of every full int8 conversion from Keras, though it has its representative images.
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

Command = Callable[..., Any]


@pytest.fixture
def model(bands: Callable[..., Any], saved: Callable[..., Path]) -> Path:
    return saved(bands())


@pytest.fixture
def converted(convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path) -> Path:
    ended = convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "out.tflite")
    assert (ended.status, ended.err) == (0, "")
    return tmp_path / "out.tflite"


def test_the_bundle_says_what_was_measured(converted: Path, model: Path, synthetic_npz: Path) -> None:
    contract = file.load(converted).contract
    assert (contract.name, contract.labels) == ("bands", list(LABELS))
    assert (contract.input.dtype, contract.output.dtype, contract.output.kind) == ("int8", "int8", "logits")
    assert (contract.input.multiply, contract.input.add, contract.input.crop.scale) == (1 / 255, 0.0, 1.02)
    assert set(contract.probabilities.enter) == set(LABELS)
    assert set(contract.probabilities.usual) == set(LABELS) - {"neutral"}
    # 216 training faces, all clear.
    assert (contract.conversion.scheme, contract.conversion.representative_images) == ("int8", 216)
    assert contract.provenance.source == "model.keras"
    assert contract.provenance.source_sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    found = figures(evaluate(open_candidate(converted), load_held_out(synthetic_npz), "ferplus8"))
    assert (contract.metrics.images, contract.metrics.accuracy, contract.metrics.ece) == (
        found["images"],
        found["accuracy"],
        found["ece"],
    )
    assert (contract.parity.float_accuracy, contract.parity.converted_accuracy) == (1, 1)
    assert contract.metrics.accuracy == 1


def test_the_bundle_carries_golden_answers_that_hold(converted: Path) -> None:
    bundle = file.load(converted)
    assert [entry.formula for entry in bundle.contract.golden] == list(golden.FORMULAS)
    Interpreter(bundle).check_golden()


def test_two_conversions_are_byte_identical_here_and_in_another_process(
    converted: Path, convert_model: Command, command: Command, model: Path, synthetic_npz: Path, tmp_path: Path
) -> None:
    assert convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "again.tflite").status == 0
    assert (tmp_path / "again.tflite").read_bytes() == converted.read_bytes()
    other = tmp_path / "other.tflite"
    ended: subprocess.CompletedProcess[str] = command(
        "cuelens_convert.cli", model, "--data", synthetic_npz, "-o", other, "--expect", converted
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert other.read_bytes() == converted.read_bytes()
    digest = file.load(converted).contract.content_digest
    assert f"content digest {digest}" in ended.stdout.splitlines()


def test_a_network_of_three_channels_is_converted_too(
    convert_model: Command, bands: Callable[..., Any], saved: Callable[..., Path], synthetic_npz: Path, tmp_path: Path
) -> None:
    ended = convert_model(saved(bands(channels=3)), "--data", synthetic_npz, "-o", tmp_path / "out.tflite")
    assert ended.status == 0, ended.err
    bundle = file.load(tmp_path / "out.tflite")
    assert flatbuffer.signature(bundle.model)[0][0].shape == (1, 48, 48, 3)
    assert bundle.contract.metrics.accuracy == 1


def test_labels_in_another_order_than_the_protocols_are_measured_by_name(
    convert_model: Command, bands: Callable[..., Any], saved: Callable[..., Path], synthetic_npz: Path, tmp_path: Path
) -> None:
    network = bands()
    weights, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([weights[:, ::-1], bias])
    ended = convert_model(
        saved(network, labels=list(reversed(LABELS))), "--data", synthetic_npz, "-o", tmp_path / "out.tflite"
    )
    assert ended.status == 0, ended.err
    contract = file.load(tmp_path / "out.tflite").contract
    assert contract.labels == list(reversed(LABELS))
    assert contract.metrics.accuracy == 1
    found = figures(evaluate(open_candidate(tmp_path / "out.tflite"), load_held_out(synthetic_npz), "ferplus8"))
    assert found["accuracy"] == 1


@pytest.mark.data
def test_the_shipped_source_converts_to_the_shipped_content(
    convert_model: Command, data_dir: Path, tmp_path: Path
) -> None:
    ended = convert_model(KERAS, "--data", data_dir, "-o", tmp_path / "out.tflite", "--expect", SHIPPED)
    assert (ended.status, ended.err) == (0, "")
    # Its digest is the same too on processors that add in the same order.
    assert same_but_for_rounding(file.load(tmp_path / "out.tflite").model, file.load(SHIPPED).model)
