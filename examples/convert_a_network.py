"""Converts a Keras network of one's own into a bundle for the glasses, as `convert-model` does on a command line."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def make(folder: Path) -> None:
    """Make up faces (noise with one bright band for each expression), and a tiny network that learned them."""
    random = np.random.default_rng(0)
    emotion = np.arange(420) % 7
    pixels = random.integers(40, 100, (420, 48, 48), np.uint8)
    pixels += 100 * (np.arange(48)[:, np.newaxis] // 6 == emotion[:, np.newaxis, np.newaxis]).astype(np.uint8)
    np.savez(folder / "faces.npz", pixels=pixels, emotion=emotion)
    face = keras.Input((48, 48, 1))
    bands = keras.layers.Flatten()(keras.layers.AveragePooling2D((6, 48))(face))
    network = keras.Model(face, keras.layers.Dense(7)(bands))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.1), loss)
    network.fit(pixels[..., np.newaxis] / 255, emotion, epochs=20, verbose=0)
    network.save(folder / "mine.keras")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-o", "--output", type=Path, default=Path("mine.tflite"))
    output = options.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        command = [sys.executable, "-c", "from cuelens_convert.cli import main; main()", f"{folder}/mine.keras"]
        how = ["--labels", ",".join(WORDS), "--pixels", "0..1", "--protocol", "fer7", "--data", f"{folder}/faces.npz"]
        subprocess.run([*command, *how, "-o", output], check=True)


if __name__ == "__main__":
    main()
