"""Opening what any Keras has written. What Keras 3 cannot read goes through Keras 2, in a process of its own."""

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
"""By how much an answer may differ once a network of Keras 2 runs in Keras 3, as a share of the largest one."""
_SUFFIXES: Final = (".keras", ".h5", ".hdf5")
_NOT_KERAS: Final = re.compile(
    r"(?:Could not locate (?:class|function)|Unknown (?:layer|activation function):?) '?(\w+)"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network as Keras 3 has it. kind: what it was read as, in words."""

    network: keras.Model
    kind: str


def open_network(path: Path) -> Loaded:
    """Open a `.keras` or `.h5` file, or a SavedModel that Keras 2 wrote. Raises BadInput, without the path.

    MissingExtra is raised if Keras 2 is needed and not installed.
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
        # Keras raises whatever its parts raise: on a damaged file, a layer it does not know, an argument it dropped.
        if _written_by(path).startswith("2."):
            return _through_keras_2(path, f"{path.suffix} of Keras 2")
        raise BadInput(_why(error)) from error
    return Loaded(_only_a_model(network), f"{path.suffix} of Keras {_written_by(path) or '3'}")


def _only_a_model(network: Any) -> keras.Model:
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise BadInput("it holds no network with a known input: build it before saving it")
    in_float32(network)
    return network


def _written_by(path: Path) -> str:
    """Return the version of Keras that wrote a file, "" if it does not say."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        import h5py

        with h5py.File(path, "r") as file:
            said = file.attrs["keras_version"]
            return said.decode() if isinstance(said, bytes) else str(said)
    except Exception:
        # A damaged file: whoever reads the rest of it says what is wrong.
        return ""


def _through_keras_2(path: Path, kind: str) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.h5"
        ended = subprocess.run(
            [sys.executable, "-m", "cuelens_convert.keras_2", str(path.resolve()), str(plain)],
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode == 3:
            raise command.require("tf-keras", "convert")
        if ended.returncode != 0:
            raise BadInput(_why(ended.stdout.strip() or f"Keras 2 ended with {ended.returncode}"))
        try:
            with tensorflow_quiet():
                network = _only_a_model(keras.models.load_model(plain, compile=False))
        except (TypeError, ValueError) as error:
            raise BadInput(_why(error)) from error
        with np.load(plain.with_suffix(".npz")) as told:
            before, after = told["outputs"], network.predict(told["inputs"], verbose=0)
    if np.abs(before - after).max() > _TOLERANCE * max(1.0, float(np.abs(before).max())):
        raise BadInput("Keras 3 does not compute what Keras 2 did with it: save it anew with Keras 3")
    return Loaded(network, f"{kind}, through tf_keras")


def _why(error: object) -> str:
    """Return one sentence for what Keras said."""
    said = str(error)
    if "ambda" in said and "unsafe" in said:
        return "it has a Lambda layer, which is code: replace it by a layer of Keras"
    if found := _NOT_KERAS.search(said):
        return f"it needs {found[1]}, which is not Keras's own: replace it by layers of Keras"
    lines = [line for line in said.splitlines() if line.strip()]
    if "holds no layers" in said:
        return lines[0]
    return f"it cannot be loaded: {lines[0] if lines else type(error).__name__}"
