"""Opening of Keras files. What Keras 3 cannot read is read by Keras 2 in another process, and rewritten."""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from cuelens_models import command
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.precision import in_float32

_TOLERANCE: Final = 1e-3
"""Largest difference allowed between the outputs in Keras 2 and Keras 3, as a share of the largest output."""
_SUFFIXES: Final = (".keras", ".h5", ".hdf5")
_NOT_KERAS: Final = re.compile(
    r"(?:Could not locate (?:class|function)|Unknown (?:layer|activation function):?) '?(\w+)"
)


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network that Keras 3 can run, read from a file. kind: format and Keras version of the file, in words."""

    network: keras.Model
    kind: str


def open_network(path: Path) -> NetworkFile:
    """Open a `.keras` or `.h5` file, or a SavedModel that Keras 2 wrote.

    Raises BadInput if it is none, is damaged or needs code of its own (the message leaves the path to the caller), and
    MissingExtra if it needs Keras 2, which is not installed.
    """
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise BadInput("it is a folder, but no SavedModel")
        return _through_keras_2(path, "a SavedModel")
    if path.suffix not in _SUFFIXES:
        raise BadInput(f"it is no network of Keras: those end in {', '.join(_SUFFIXES)}, or are SavedModel folders")
    try:
        with tensorflow_quiet():
            network = keras.models.load_model(path, compile=False)
    except Exception as error:
        # Keras raises errors of many types: for a damaged file, an unknown layer, an argument that it dropped.
        if _keras_version(path).startswith("2."):
            return _through_keras_2(path, f"{path.suffix} of Keras 2")
        raise BadInput(_why(error)) from error
    return NetworkFile(_check_model(network), f"{path.suffix} of Keras {_keras_version(path) or '3'}")


def _check_model(network: Any) -> keras.Model:
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise BadInput("it holds no network with a known input: build it before saving it")
    in_float32(network)
    return network


def _keras_version(path: Path) -> str:
    """Return the version of Keras that wrote a file, "" if the file does not say."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        import h5py

        with h5py.File(path, "r") as file:
            version = file.attrs["keras_version"]
            return version.decode() if isinstance(version, bytes) else str(version)
    except Exception:
        # A damaged file: reading the network says what is wrong with it.
        return ""


def _through_keras_2(path: Path, kind: str) -> NetworkFile:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.h5"
        process = subprocess.run(
            [sys.executable, "-m", "cuelens_convert.keras_2", str(path.resolve()), str(plain)],
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode == 3:
            raise command.require("tf-keras", "convert")
        if process.returncode != 0:
            raise BadInput(_why(process.stdout.strip() or f"Keras 2 ended with {process.returncode}"))
        try:
            with tensorflow_quiet():
                network = _check_model(keras.models.load_model(plain, compile=False))
        except (TypeError, ValueError) as error:
            raise BadInput(_why(error)) from error
        with np.load(plain.with_suffix(".npz")) as probes:
            before, after = probes["outputs"], network.predict(probes["inputs"], verbose=0)
    if np.abs(before - after).max() > _TOLERANCE * max(1.0, float(np.abs(before).max())):
        raise BadInput("it has other outputs in Keras 3 than in Keras 2: save it again with Keras 3")
    return NetworkFile(network, f"{kind}, through tf_keras")


def _why(error: object) -> str:
    """Return one sentence that explains an error of Keras."""
    message = str(error)
    if "ambda" in message and "unsafe" in message:
        return "it has a Lambda layer, whose code would come from the file: replace it by a layer of Keras"
    if match := _NOT_KERAS.search(message):
        return f"it needs {match[1]}, which is not Keras's own: replace it by layers of Keras"
    lines = [line for line in message.splitlines() if line.strip()]
    if "holds no layers" in message:
        return lines[0]
    return f"it cannot be loaded: {lines[0] if lines else type(error).__name__}"
