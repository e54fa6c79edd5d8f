"""A network whose weights are set by hand, and the converter run as a command."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import CropRule
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.bundle.training_record import TrainingRecord


class CommandResult(NamedTuple):
    """Exit status and output of a command."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def record() -> TrainingRecord:
    return TrainingRecord(
        recipe="bands",
        labels=list(LABELS),
        protocol="ferplus8",
        multiply=1 / 255,
        add=0.0,
        per_image=False,
        crop=CropRule(detector="haar-alt2", scale=1.02, shift_y=0.0),
        data="made up",
        epochs=1,
        seed=0,
    )


@pytest.fixture(scope="session")
def bands() -> Callable[..., Any]:
    """Builds a network that recognises the made-up faces: each output is the brightness of one band."""

    def build(channels: int = 1, gain: float = 20.0, *, named: str = "") -> Any:
        import keras

        face = keras.Input((48, 48, channels), name=f"face{named}")
        flat = keras.layers.Flatten(name=f"flat{named}")(face)
        logits = keras.layers.Dense(8, name=f"logits{named}")
        network = keras.Model(face, logits(flat), name=f"bands{named}")
        band = np.repeat(np.arange(48 * 48) // (6 * 48), channels)
        weights = gain / (6 * 48 * channels) * (band[:, np.newaxis] == np.arange(8))
        logits.set_weights([weights.astype(np.float32), np.zeros(8, np.float32)])
        return network

    return build


@pytest.fixture
def saved(tmp_path: Path, record: TrainingRecord) -> Callable[..., Path]:
    """Saves a network with its training record, some fields of which may be changed."""

    def save(network: Any, name: str = "model.keras", **changes: Any) -> Path:
        path = tmp_path / name
        network.save(path)
        if changes:
            plain = msgspec.to_builtins(record) | changes
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(training_record.ENTRY, json.dumps(plain))
        else:
            training_record.write(path, record)
        return path

    return save


@pytest.fixture
def convert_model(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., CommandResult]:
    """Runs `convert-model` in this process: importing TensorFlow for each case would take most of the time."""

    def run(*arguments: object) -> CommandResult:
        from cuelens_convert.cli import main

        monkeypatch.setattr(sys, "argv", ["convert-model", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        return CommandResult(int(exit_.value.code or 0), *capfd.readouterr())

    return run
