#!/usr/bin/env bash
# TensorFlow's int8 converter measures ranges on a representative dataset. Whether the same images come one by one or in
# batches should make no difference to a least and a greatest value. It does: in batches the float network adds in another
# order, a range moves in its last bit, and the model has other bytes. So a model can be made again byte for byte only with
# the same batch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "tensorflow-cpu==2.21.0" "keras==3.12.0" "numpy==2.1.3" 2>/dev/null
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import contextlib
import io
import platform
import sys

import keras
import numpy as np
import tensorflow as tf

IMAGES = np.random.default_rng(1).normal(size=(200, 48, 48, 1)).astype(np.float32)
keras.utils.set_random_seed(1)
network = keras.Sequential(
    [
        keras.layers.Input((48, 48, 1)),
        keras.layers.Conv2D(16, 3, 2, "same", activation="relu"),
        keras.layers.Conv2D(32, 3, 2, "same", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(8),
    ]
)


def converted(batch):
    """Return the int8 model whose ranges were measured on all images, so many at a time."""
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([IMAGES[n : n + batch]] for n in range(0, len(IMAGES), batch))
    with contextlib.redirect_stdout(io.StringIO()):
        return converter.convert()


def scales(model):
    """Return the scales of the tensors that have one."""
    interpreter = tf.lite.Interpreter(model_content=model)
    return {one["name"]: one["quantization"][0] for one in interpreter.get_tensor_details() if one["quantization"][0]}


print("Python", sys.version.split()[0], "TensorFlow", tf.__version__, "keras", keras.__version__, platform.machine())
once, again, batches = converted(1), converted(1), converted(50)
print("one by one, twice: the same bytes:", once == again)
print("one by one, and fifty at a time: the same bytes:", once == batches)
one, fifty = scales(once), scales(batches)
moved = {name: fifty[name] / one[name] - 1 for name in one if name in fifty and fifty[name] != one[name]}
for name, share in moved.items():
    print(f"the scale of {name[-40:]} moves by {share:.1e} of itself")
sys.exit(not (once == again and once != batches and moved and max(map(abs, moved.values())) < 1e-5))
PYTHON
