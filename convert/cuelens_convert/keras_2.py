"""Rewriting of a Keras 2 network into a file for Keras 3: `python -m cuelens_convert.keras_2 MODEL PLAIN.h5`.

It needs a process of its own, because Keras 2 and 3 conflict in one. It also writes PLAIN.npz, with the network's
outputs for pictures of noise: the reader checks that the network still gives them in Keras 3. Exit status 3: tf_keras
is not installed; 1: the network cannot be read, and standard output says why (TensorFlow logs to standard error).
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

_PROBES: Final = 4
_REJECTED: Final = {
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "DepthwiseConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv2DTranspose": ("groups",),
    "BatchNormalization": ("renorm", "virtual_batch_size", "fused"),
}
"""Arguments that Keras 2 writes for a layer and Keras 3 rejects. None of them affects what a trained layer computes."""


def main() -> None:
    """Read the network with Keras 2, and write it for Keras 3."""
    try:
        import h5py
        import tf_keras
    except ImportError:
        sys.exit(3)
    try:
        network = tf_keras.models.load_model(sys.argv[1], compile=False)
        if not getattr(network, "layers", None) or not network.inputs:
            raise ValueError("it holds no layers, only what they compute: save the network itself, as .keras")
        plain = Path(sys.argv[2])
        sides = network.inputs[0].shape[1:]
        inputs = np.random.default_rng(0).uniform(0, 1, (_PROBES, *sides)).astype(np.float32)
        network.save(plain, save_format="h5", include_optimizer=False)
        np.savez(plain.with_suffix(".npz"), inputs=inputs, outputs=network.predict(inputs, verbose=0))
    except Exception as error:
        # Keras 2 raises errors of many types: the calling process gets the message.
        print(str(error).strip() or type(error).__name__)
        sys.exit(1)
    with h5py.File(plain, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        _clean(config)
        file.attrs["model_config"] = json.dumps(config)


def _clean(part: Any) -> None:
    """Remove from every layer of a network's configuration the arguments that Keras 3 rejects."""
    if isinstance(part, list):
        for inner in part:
            _clean(inner)
    elif isinstance(part, dict):
        for name in _REJECTED.get(part.get("class_name", ""), ()):
            part["config"].pop(name, None)
        for inner in part.values():
            _clean(inner)


if __name__ == "__main__":
    main()
