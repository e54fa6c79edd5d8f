"""One process of a team: trains a network without batch norm, and writes down its losses and its weights.

python worker.py alone|mirrored|multiworker DATA.npz OUT.npz
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf

from cuelens_models.data.npz import read
from cuelens_models.train.batches import Views, human_targets
from cuelens_models.train.distributed import Team
from cuelens_models.train.targets import HEADS
from cuelens_models.zoo.cuelens import INPUT

EPOCHS = 3


def network() -> keras.Model:
    """Return a small network with the heads of ours, and nothing whose answer depends on the rest of its batch."""
    x = face = keras.Input((48, 48, 1))
    for channels in (4, 8):
        x = keras.layers.Conv2D(channels, 3, strides=3, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    trained = keras.Model(face, {head.name: keras.layers.Dense(len(head.labels), name=head.name)(x) for head in HEADS})
    trained.compile(
        keras.optimizers.AdamW(1e-2),
        {head.name: keras.losses.CategoricalCrossentropy(from_logits=True) for head in HEADS},
        jit_compile=False,
    )
    return trained


class Losses(keras.callbacks.Callback):  # type: ignore[misc]
    """Turns to the next view each epoch, and records the losses."""

    def __init__(self, views: Views) -> None:
        super().__init__()
        self._views = views
        self.by_epoch: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._views.epoch = epoch + 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.by_epoch.append(logs["loss"])


def main(name: str, data: Path, out: Path) -> None:
    if name == "mirrored":
        cpu, *_ = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    team = None if name == "alone" else Team(name)
    faces = read(data)
    views = Views(faces, INPUT, 0, human_targets(faces, HEADS))
    losses = Losses(views)
    keras.utils.set_random_seed(0)
    if team is None:
        trained = network()
        trained.fit(views, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[losses])
    else:
        with team.strategy.scope():
            trained = network()
        team.fit(trained, views, 0, EPOCHS, losses)
        assert team.strategy.num_replicas_in_sync == 2
    np.savez(out, losses=losses.by_epoch, weights=np.concatenate([each.ravel() for each in trained.get_weights()]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
