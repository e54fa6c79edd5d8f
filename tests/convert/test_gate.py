"""Conversions that lose something real: refused and explained, or repaired and reported."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")
pytest.importorskip("matplotlib", reason="the page needs the extra convert")

import keras
from keras import layers

from cuelens_models.bundle import file
from cuelens_models.bundle.interpreter import Interpreter

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

Command = Callable[..., Any]
Save = Callable[..., Path]


def knows_bands(loud: float = 0.0, dead: float = 0.0) -> Any:
    """Return a network that knows the bands through nine units; the ninth is no use, and may be in the way.

    loud: how much it says of the picture's brightness. dead: by how much batch norm multiplies it, always the same.
    """
    face = keras.Input((48, 48, 1), name="face")
    bands = layers.Flatten(name="bands")(layers.AveragePooling2D((6, 48), name="pool")(face))
    units = layers.Dense(9, activation="elu" if dead else None, name="units")
    norm = layers.BatchNormalization(name="norm")
    answer = layers.Dense(8, name="answer")
    network = keras.Model(face, answer(norm(units(bands)) if dead else units(bands)))
    kernel = np.hstack([20 * np.eye(8), np.full((8, 1), loud)])
    units.set_weights([kernel.astype(np.float32), np.array([0] * 8 + [-20 if dead else 0], np.float32)])
    if dead:
        gamma = np.array([1] * 8 + [dead], np.float32)
        mean, variance = np.array([0] * 8 + [-1], np.float32), np.array([1] * 8 + [0], np.float32)
        norm.set_weights([gamma, np.zeros(9, np.float32), mean, variance])
    answer.set_weights([np.vstack([np.eye(8), np.zeros((1, 8))]).astype(np.float32), np.zeros(8, np.float32)])
    return network


def with_memory(layer: Any) -> Any:
    """Return a network that knows the bands, and a recurrent layer beside it that says nothing."""
    network = knows_bands()
    silent = layers.Dense(8, kernel_initializer="zeros")(
        layer(layers.Reshape((8, 1))(network.get_layer("bands").output))
    )
    return keras.Model(network.inputs, layers.Add()([network.output, silent]))


def test_a_real_loss_is_refused_with_the_layer_and_what_to_try(
    convert_model: Command, saved: Save, synthetic_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "x.tflite"
    ended = convert_model(
        saved(knows_bands(loud=1e4)), "--data", synthetic_npz, "-o", output, "--report", tmp_path / "page"
    )
    assert ended.status == 4
    (line,) = ended.err.splitlines()
    assert re.search(r"int8 is refused: it loses [\d.]+ points of accuracy on 120 images \(p [\de.-]+\)", line)
    assert line.endswith("nothing was written")
    assert list(output.parent.iterdir()) == []
    assert re.search(r"^after output: signal to noise -?\d+ dB, [\d.]+ steps off$", ended.out, re.MULTILINE)
    assert "to try: --fine-tune 2" in ended.out
    page = (tmp_path / "page" / "index.html").read_text()
    assert "Refused: it loses" in page
    assert "to blame" in page


def test_a_dead_unit_is_folded_and_the_report_says_so(
    convert_model: Command, saved: Save, synthetic_npz: Path, tmp_path: Path
) -> None:
    ended = convert_model(
        saved(knows_bands(dead=1e4)),
        "--data",
        synthetic_npz,
        "-o",
        tmp_path / "x.tflite",
        "--report",
        tmp_path / "page",
    )
    assert (ended.status, ended.err) == (0, "")
    assert "needed: dead units folded into constants: 1 of norm" in ended.out.splitlines()
    contract = file.load(tmp_path / "x.tflite").contract
    assert (contract.parity.float_accuracy, contract.parity.converted_accuracy) == (1, 1)
    page = (tmp_path / "page" / "index.html").read_text()
    assert "dead units folded into constants: 1 of norm" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    for heading in ("What was lost", "After each layer", "Representative images", "Operations", "Latency"):
        assert f"<h2>{heading}" in page


def test_fine_tuning_is_for_what_loses_too_much(
    convert_model: Command, saved: Save, synthetic_npz: Path, tmp_path: Path
) -> None:
    fine = ("--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--fine-tune", 1)
    ended = convert_model(saved(knows_bands(), "good.keras"), *fine)
    assert ended.status == 0
    assert "needed: nothing but converting" in ended.out.splitlines()
    ended = convert_model(saved(knows_bands(loud=1e4), "bad.keras"), *fine)
    assert "fine-tuning ..." in ended.out.splitlines()
    assert re.search(r"^needed: fine-tuned (in vain )?for 1 epochs with int8's rounding$", ended.out, re.MULTILINE)


@pytest.mark.parametrize("scheme", ["int16x8", "dynamic", "float16", "float32"])
def test_a_bundle_of_another_scheme_runs_and_says_so(
    convert_model: Command, bands: Callable[..., Any], saved: Save, synthetic_npz: Path, tmp_path: Path, scheme: str
) -> None:
    ended = convert_model(saved(bands()), "--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--scheme", scheme)
    assert (ended.status, ended.err) == (0, "")
    bundle = file.load(tmp_path / "x.tflite")
    assert bundle.contract.conversion.scheme == scheme
    assert bundle.contract.input.dtype == ("int16" if scheme == "int16x8" else "float32")
    assert bundle.contract.metrics.accuracy == 1
    Interpreter(bundle).check_golden()


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.LSTM(4, name="memory"),
        lambda: keras.layers.GRU(4, name="memory"),
        lambda: keras.layers.Bidirectional(keras.layers.SimpleRNN(4), name="memory"),
    ],
    ids=["LSTM", "GRU", "both ways"],
)
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_a_loop_is_refused_before_tensorflow_dies_of_it(
    convert_model: Command, saved: Save, synthetic_npz: Path, tmp_path: Path, layer: Callable[[], Any], scheme: str
) -> None:
    model = saved(with_memory(layer()))
    ended = convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--scheme", scheme)
    assert ended.status == 3
    (line,) = ended.err.splitlines()
    assert "its recurrent layer memory has no int8 form: convert with --scheme float16 or dynamic, or build" in line
    assert not (tmp_path / "x.tflite").exists()


@pytest.mark.parametrize(("scheme", "unroll"), [("float16", False), ("dynamic", False), ("int8", True)])
def test_a_recurrent_layer_converts_in_the_ways_that_the_refusal_names(
    convert_model: Command, saved: Save, synthetic_npz: Path, tmp_path: Path, scheme: str, unroll: bool
) -> None:
    model = saved(with_memory(keras.layers.GRU(4, unroll=unroll)))
    ended = convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--scheme", scheme)
    assert (ended.status, ended.err) == (0, "")


def test_several_are_converted_and_one_that_fails_does_not_stop_the_others(
    convert_model: Command, bands: Callable[..., Any], saved: Save, synthetic_npz: Path, tmp_path: Path
) -> None:
    models = [saved(bands(), "good.keras"), saved(knows_bands(loud=1e4), "lossy.keras"), tmp_path / "absent.keras"]
    ended = convert_model(*models, "--data", synthetic_npz, "-o", tmp_path / "bundles", "--jobs", 2)
    assert (ended.status, ended.err) == (4, "")
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["good.tflite"]
    *progress, _, good, lossy, absent = ended.out.splitlines()
    assert sorted(line.split(" of ")[0] for line in progress) == ["1", "2", "3"]
    assert good.split()[:4] == ["good", "100.00%", "100.00%", "100.00%"]
    assert lossy.split() == ["lossy", "exit", "status", "4"]
    assert absent.split() == ["absent", "exit", "status", "3"]


def test_networks_of_several_may_be_named_like_options(
    convert_model: Command,
    bands: Callable[..., Any],
    saved: Save,
    synthetic_npz: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved(bands(), "-a.keras")
    monkeypatch.chdir(tmp_path)
    ended = convert_model("--data", synthetic_npz, "-o", "bundles", "--", "-a.keras", "absent.keras")
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["-a.tflite"], ended
    assert "absent.keras does not exist" in ended.out


def test_a_conversion_that_was_killed_does_not_pass_for_one_that_was_done(
    convert_model: Command, monkeypatch: pytest.MonkeyPatch, synthetic_npz: Path, tmp_path: Path
) -> None:
    killed = subprocess.CompletedProcess([], -9, "", "")
    monkeypatch.setattr("cuelens_convert.batch.subprocess.run", lambda *words, **options: killed)
    ended = convert_model("a.keras", "b.keras", "--data", synthetic_npz, "-o", tmp_path / "bundles")
    assert ended.status == 70
    assert "a.keras: ended with -9" in ended.out


def test_models_of_one_name_are_not_written_over_each_other(
    convert_model: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    twins = (tmp_path / "a" / "x.keras", tmp_path / "b" / "x.keras")
    ended = convert_model(*twins, "--data", synthetic_npz, "-o", tmp_path / "bundles")
    assert ended.status == 3
    assert "two of the models have the same name" in ended.err
    assert not (tmp_path / "bundles").exists()


def test_photographs_give_the_ranges(
    convert_model: Command, bands: Callable[..., Any], saved: Save, synthetic_npz: Path, tmp_path: Path
) -> None:
    cv2 = pytest.importorskip("cv2")
    (tmp_path / "photographs").mkdir()
    with np.load(synthetic_npz / "train.npz") as arrays:
        for number, face in enumerate(arrays["pixels"][:120]):
            cv2.imwrite(str(tmp_path / "photographs" / f"{number}.png"), face)
    arguments = (saved(bands()), "--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--representative")
    ended = convert_model(*arguments, tmp_path / "photographs")
    assert (ended.status, ended.err) == (0, "")
    assert file.load(tmp_path / "x.tflite").contract.conversion.representative_images == 120
    ended = convert_model(*arguments, tmp_path / "absent")
    assert (ended.status, ended.err) == (3, f"convert-model: {tmp_path / 'absent'} is no folder of photographs\n")
