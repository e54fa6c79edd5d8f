"""Draws what a bundle takes for what: rows are shown, columns are read."""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from cuelens.adapters.demo_scene import photograph
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.data.haar import HaarCrop
from cuelens_models.data.load import load_held_out
from cuelens_models.data.protocols import label
from cuelens_models.evaluate.candidate import open_candidate


def make(folder: Path) -> None:
    """Write portraits of a smiling and of a serious woman, as ten cameras of different noise would see them."""
    for word, file in (("happy", "astronaut.png"), ("neutral", "grace_hopper.jpg")):
        (folder / word).mkdir()
        for noise in range(10):
            grey = photograph(file) + np.random.default_rng(noise).normal(0, 3 * noise, photograph(file).shape)
            cv2.imwrite(str(folder / word / f"{noise}.png"), grey.clip(0, 255).astype(np.uint8))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("bundle", nargs="?", type=Path, default=SHIPPED)
    options.add_argument("--data", type=Path, help="faces, as evaluate-model takes them (default: two portraits)")
    options.add_argument("-o", "--output", type=Path, default=Path("confusion.png"))
    given = options.parse_args()
    model = open_candidate(given.bundle)
    with tempfile.TemporaryDirectory() as folder:
        if not given.data:
            make(Path(folder))
        faces = load_held_out(given.data or Path(folder), HaarCrop(model.input).face).faces
    shown = label(faces, "ferplus8")
    read = model.answer(faces.pixels[shown.indices], lambda count: None).argmax(axis=1)
    counts = np.zeros((len(shown.labels), len(model.labels)), int)
    np.add.at(counts, (shown.truth, read), 1)
    axes = Figure(layout="constrained").subplots()
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(model.labels)), model.labels, rotation=45)
    axes.set_yticks(range(len(shown.labels)), shown.labels)
    axes.figure.savefig(given.output)
    for row, word in zip(counts, shown.labels, strict=True):
        if row.any():
            print(
                f"{word}: {', '.join(f'{count} read as {model.labels[at]}' for at, count in enumerate(row) if count)}"
            )
    print(f"{given.output} is drawn")


if __name__ == "__main__":
    main()
