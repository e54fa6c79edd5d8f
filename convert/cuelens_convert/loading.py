"""Opening of Keras files. What Keras 3 cannot read is rewritten: by Keras 2 in another process, or from Keras 1."""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from cuelens_convert.keras_1 import is_keras_1, translate
from cuelens_models import command, regular_file
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.precision import in_float32

_TOLERANCE: Final = 1e-3
"""Largest difference allowed between the outputs in Keras 2 and Keras 3, as a share of the largest output."""
_SUFFIXES: Final = (".keras", ".h5", ".hdf5")
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_ZIP: Final = b"PK\x03\x04"
_FOREIGN: Final = {
    b"version https://git-lfs": "it is a pointer of Git LFS, not the network: run `git lfs pull` where it comes from",
    b"<": "it is a web page or XML, not the network: download the file itself",
    b"{": "it is the architecture of a network without weights: {join}",
    b"backend": "it is the architecture of a network without weights, as YAML: {join}",
}
"""What files that pass for a network begin with, and what to do about each."""
_JOIN: Final = "build it in Keras (model_from_json), load its weights (load_weights), and save both in one file (save)"
_REBUILD: Final = "build the network in Keras, copy the weights, and save it as .keras"
_OTHERS: Final = {
    ".onnx": f"it is ONNX, not Keras: {_REBUILD}",
    ".pt": f"it is PyTorch's, not Keras's: {_REBUILD}",
    ".pth": f"it is PyTorch's, not Keras's: {_REBUILD}",
    ".pb": "it is one file of TensorFlow: give the SavedModel's whole folder, or save the network as .keras",
    ".tflite": "it is no network of Keras, but converted already: give the file that it was made from",
}
_CODE: Final = "it has a Lambda layer, whose code would come from the file: replace it by a layer of Keras"
_NETWORKS: Final = re.compile(r'"class_name":\s*"(?:Sequential|Functional|Model)"')
_LAMBDA: Final = re.compile(r'"class_name":\s*"Lambda"')
_NOT_KERAS: Final = re.compile(
    r"(?:Could not locate (?:class|function)|Unknown (?:layer|activation function):?) '?(\w+)"
)


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network that Keras 3 can run, read from a file. kind: format and Keras version of the file, in words."""

    network: keras.Model
    kind: str


def form_of(path: Path) -> str:
    """Return the form of a network's file by its content: ".keras", ".h5", or "" for a folder.

    Raises BadInput if it is none of them (the message leaves the path to the caller).
    """
    if path.is_dir():
        return ""
    if fault := regular_file.fault(path):
        raise BadInput(f"it {fault}")
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(_HDF5):
        return ".h5"
    if start.startswith(_ZIP) or path.suffix == ".keras":
        return ".keras"
    for magic, sentence in _FOREIGN.items():
        if start.lstrip().startswith(magic):
            raise BadInput(sentence.format(join=_JOIN))
    if path.suffix in _OTHERS:
        raise BadInput(_OTHERS[path.suffix])
    if path.suffix in _SUFFIXES:
        raise BadInput(f"it is no {path.suffix} file: it is empty, cut short or something else, so fetch it again")
    raise BadInput(f"it is no network of Keras: those end in {', '.join(_SUFFIXES)}, or are SavedModel folders")


def open_network(path: Path) -> NetworkFile:
    """Open a `.keras` or `.h5` file of Keras 1, 2 or 3 under any name, or a SavedModel that Keras 2 wrote.

    Raises BadInput if it is none, is damaged or needs code of its own (the message leaves the path to the caller), and
    MissingExtra if it needs Keras 2, which is not installed.
    """
    form = form_of(path)
    if not form:
        if not (path / "saved_model.pb").is_file():
            raise BadInput("it is a folder, but no SavedModel: give the folder that saved_model.pb lies in")
        metadata = path / "keras_metadata.pb"
        _refuse_code(metadata.read_text(errors="replace") if metadata.is_file() else "")
        return _through_keras_2(path, "a SavedModel")
    version, config = _written(path, form)
    _refuse_code(config)
    kind = f"{path.suffix or form} of Keras {version or '3'}"
    with tempfile.TemporaryDirectory() as folder:
        # Keras goes by the name.
        named = Path(folder, "network" + form)
        if form == ".h5" and is_keras_1(version, config):
            translate(path, named)
            kind = f"{path.suffix or form} of Keras {version or '1'}"
            version, config = _written(named, form)
        else:
            named.symlink_to(path.resolve())
        old = version.startswith("2.")
        if old and (len(_NETWORKS.findall(config)) > 1 or "hard_sigmoid" in config):
            # Keras 3 misreads networks inside networks, and has another hard sigmoid.
            return _through_keras_2(named, kind)
        try:
            network = _check_model(_load(named))
        except BadInput:
            raise
        except Exception as error:
            # Keras raises errors of many types: for a damaged file, an unknown layer, an argument that it dropped.
            if old:
                return _through_keras_2(named, kind)
            raise BadInput(_why(str(error).replace(str(named), path.name) or type(error).__name__)) from error
    return NetworkFile(network, kind)


def _load(path: Path) -> Any:
    """Load a network with Keras 3. Raises errors of many types."""
    known = {each.__name__: _either(each) for each in _operations(keras.Operation)} if path.suffix == ".h5" else {}
    with tensorflow_quiet():
        return keras.models.load_model(path, known, compile=False)


def _operations(kind: type) -> Iterator[type[Any]]:
    """Yield Keras's own operations, which are no layers."""
    subclass: type[Any]
    for subclass in kind.__subclasses__():
        if not issubclass(subclass, keras.Layer):
            if subclass.__module__.startswith("keras."):
                yield subclass
            yield from _operations(subclass)


def _either(operation: type[Any]) -> type[Any]:
    """Return what makes this operation, or the layer of its name, of a configuration.

    An .h5 file names operations (`x / 127.5` is a TrueDivide) as it names layers, and Keras looks for layers alone.
    """
    layer = getattr(keras.layers, operation.__name__, None)
    if layer is None:
        return operation

    def from_config(config: dict[str, Any]) -> Any:
        return (layer if "trainable" in config else operation).from_config(config)

    return type(operation.__name__, (), {"from_config": staticmethod(from_config)})


def _check_model(network: Any) -> keras.Model:
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise BadInput("it holds no network with a known input: build it before saving it")
    in_float32(network)
    return network


def _written(path: Path, form: str) -> tuple[str, str]:
    """Return the version of Keras that wrote a file, and its network's configuration as JSON; "" if it does not say.

    Raises BadInput if the file holds weights alone, or is an archive of another kind.
    """
    try:
        if form == ".keras":
            with zipfile.ZipFile(path) as archive:
                if "config.json" not in archive.namelist() and any(name.endswith(".pb") for name in archive.namelist()):
                    raise BadInput("it is a packed SavedModel: unpack it, and give the folder")
                version = json.loads(archive.read("metadata.json"))["keras_version"]
                return str(version), archive.read("config.json").decode()
        import h5py

        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise BadInput(f"it holds weights without the network: {_JOIN}")
            version, config = (file.attrs.get(name, "") for name in ("keras_version", "model_config"))
            return _text(version), _text(config)
    except BadInput:
        raise
    except Exception:
        # A damaged file: reading the network says what is wrong with it.
        return "", ""


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _refuse_code(config: str) -> None:
    """Raise BadInput if a network's configuration holds Python code: Keras 2 would run it while reading an .h5 file."""
    if _LAMBDA.search(config):
        raise BadInput(_CODE)


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
        except BadInput:
            raise
        except Exception as error:
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
        return _CODE
    if match := _NOT_KERAS.search(message):
        return f"it needs {match[1]}, which is not Keras's own: replace it by layers of Keras"
    lines = [line for line in message.splitlines() if line.strip()]
    if message.startswith(("it ", "its ")):  # of keras_2
        return lines[0]
    return f"it cannot be loaded: {lines[0] if lines else type(error).__name__}"
