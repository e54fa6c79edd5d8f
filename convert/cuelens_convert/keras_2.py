"""A network of Keras 2 written so that Keras 3 can read it: `python -m cuelens_convert.keras_2 MODEL PLAIN.h5`.

It runs in a process of its own, since the two do not share one well. Beside PLAIN.h5 it leaves PLAIN.npz with what the
network answers to pictures of noise, so that whoever reads the file can see that it still does. Exit status 3: tf_keras
is not installed; 1: what is wrong stands on standard output, apart from what TensorFlow logs.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

_PROBES: Final = 4

_DROPPED: Final = {
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "DepthwiseConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv2DTranspose": ("groups",),
    "BatchNormalization": ("renorm", "virtual_batch_size", "fused"),
}
"""What Keras 2 writes of a layer, and Keras 3 does not take. None of it says what a trained layer computes."""


def main() -> None:
    """Write the network."""
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
        # Whatever Keras 2 raises is told in its own words to the process that asked.
        print(str(error).strip() or type(error).__name__)
        sys.exit(1)
    with h5py.File(plain, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        _clean(config)
        file.attrs["model_config"] = json.dumps(config)


def _clean(part: Any) -> None:
    """Drop what Keras 3 does not take from every layer of a network's description."""
    if isinstance(part, list):
        for inner in part:
            _clean(inner)
    elif isinstance(part, dict):
        for name in _DROPPED.get(part.get("class_name", ""), ()):
            part["config"].pop(name, None)
        for inner in part.values():
            _clean(inner)


if __name__ == "__main__":
    main()
