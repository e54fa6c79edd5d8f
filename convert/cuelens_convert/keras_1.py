"""Rewriting of a Keras 1 file into the layout of Keras 2, which later versions read. Its weights keep their order."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cuelens_models.errors import BadInput

_REMEDY: Final = "save it again with Keras 2.0 to 2.3"
_SAME: Final = (
    "Activation",
    "ELU",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "InputLayer",
    "LeakyReLU",
    "PReLU",
    "Reshape",
    "ZeroPadding2D",
)
_KEPT: Final = ("activation", "alpha", "batch_input_shape", "padding", "shared_axes", "target_shape", "trainable")
"""Arguments that mean in Keras 1 what they mean later; of the others in `_SAME`, none affects a trained layer."""
_MERGES: Final = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}


def is_keras_1(version: str, config: str) -> bool:
    """Return whether Keras 1 wrote a file. version: that it states, "" for none. config: of its network, as JSON."""
    return version.startswith("1.") or (not version and ('"nb_filter"' in config or '"output_dim"' in config))


def translate(path: Path, plain: Path) -> None:
    """Write a Keras 1 `.h5` file as Keras 2 would. Raises BadInput if a layer has no equal there, or if it is damaged.

    path: of the file to read. plain: of the file to write.
    """
    import h5py

    try:
        with h5py.File(path, "r") as before, h5py.File(plain, "w") as after:
            written = before.attrs["model_config"]
            config = _network(json.loads(written))
            after.attrs["model_config"] = json.dumps(config)
            after.attrs["keras_version"] = "2.0.0"
            after.attrs["backend"] = "tensorflow"
            before.copy("model_weights", after)
    except BadInput:
        raise
    except Exception as error:
        # A damaged file lacks fields or weights, or has them of any other kind.
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BadInput(f"it is damaged, or no Keras 1 wrote it ({what}): fetch it again, or {_REMEDY}") from error


def _network(network: dict[str, Any]) -> dict[str, Any]:
    config = network["config"]
    if network["class_name"] == "Sequential":
        layers = [_layer(layer) for layer in _sequence(config)]
        shape = layers[0]["config"].pop("batch_input_shape", None)
        if shape is None:
            raise BadInput(f"its first layer does not say the shape of its input: {_REMEDY}")
        face = {"class_name": "InputLayer", "config": {"batch_input_shape": shape, "dtype": "float32", "name": "face"}}
        return {"class_name": "Sequential", "config": {"name": "network", "layers": [face, *layers]}}
    layers = []
    for layer in config["layers"]:
        # Since Keras 2 each tensor that a layer is applied to carries the options of the call too.
        nodes = [[[*tensor[:3], {}] for tensor in node] for node in layer["inbound_nodes"]]
        layers.append({**_layer(layer), "name": layer["name"], "inbound_nodes": nodes})
    return {"class_name": "Model", "config": {**config, "layers": layers}}


def _sequence(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the layers of a Sequential, and in their places those of a Sequential inside it."""
    inner = ([*_sequence(each["config"])] if each["class_name"] == "Sequential" else [each] for each in layers)
    return [layer for part in inner for layer in part]


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    name, old = layer["class_name"], layer["config"]
    if old.get("dim_ordering") == "th":
        raise BadInput(f"Keras 1 wrote it for Theano, with channels first (dim_ordering th): {_REMEDY} and TensorFlow")
    if name == "Merge":
        name, new = _merge(old)
    elif name in _SAME:
        new = {}
    elif name in _ARGUMENTS:
        name, arguments = _ARGUMENTS[name]
        new = arguments(old)
    else:
        raise BadInput(f"it has the layer {name} of Keras 1, which later versions lack: {_REMEDY}")
    if old.get("activation") == "hard_sigmoid":
        raise BadInput("it has a hard sigmoid of Keras 1, which is another function today: use a sigmoid")
    kept = {key: old[key] for key in _KEPT if key in old}
    return {"class_name": name, "config": {"name": old["name"], **kept, **new}}


def _merge(old: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = old["mode"]
    if not isinstance(mode, str):
        raise BadInput(f"it merges layers by code of its own, which only Keras 1 runs: {_REMEDY}")
    if mode not in _MERGES:
        raise BadInput(f"it merges layers by {mode!r}, which only Keras 1 does: {_REMEDY}")
    return _MERGES[mode], {"axis": old["concat_axis"]} if mode == "concat" else {}


def _convolution(old: dict[str, Any]) -> dict[str, Any]:
    extra = {"depth_multiplier": old["depth_multiplier"]} if "depth_multiplier" in old else {}
    return {
        "filters": old["nb_filter"],
        "kernel_size": [old["nb_row"], old["nb_col"]],
        "padding": old["border_mode"],
        "strides": old["subsample"],
        "dilation_rate": old.get("atrous_rate", [1, 1]),
        "use_bias": old.get("bias", True),
        **extra,
    }


def _dense(old: dict[str, Any]) -> dict[str, Any]:
    shape = {"batch_input_shape": [None, old["input_dim"]]} if old.get("input_dim") else {}
    return {"units": old["output_dim"], "use_bias": old.get("bias", True), **shape}


def _pooling(old: dict[str, Any]) -> dict[str, Any]:
    return {"pool_size": old["pool_size"], "strides": old["strides"], "padding": old["border_mode"]}


def _norm(old: dict[str, Any]) -> dict[str, Any]:
    if old.get("mode", 0) != 0:
        raise BadInput(f"its batch norm has the mode {old['mode']}, which only Keras 1 knows: {_REMEDY}")
    return {"axis": old["axis"], "epsilon": old["epsilon"], "momentum": old.get("momentum", 0.99)}


def _rate(old: dict[str, Any]) -> dict[str, Any]:
    return {"rate": old["p"]}


_ARGUMENTS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]]] = {
    "AtrousConvolution2D": ("Conv2D", _convolution),
    "AveragePooling2D": ("AveragePooling2D", _pooling),
    "BatchNormalization": ("BatchNormalization", _norm),
    "Convolution2D": ("Conv2D", _convolution),
    "Dense": ("Dense", _dense),
    "Dropout": ("Dropout", _rate),
    "GaussianDropout": ("GaussianDropout", _rate),
    "GaussianNoise": ("GaussianNoise", lambda old: {"stddev": old["sigma"]}),
    "MaxPooling2D": ("MaxPooling2D", _pooling),
    "SeparableConvolution2D": ("SeparableConv2D", _convolution),
    "SpatialDropout2D": ("SpatialDropout2D", _rate),
}
