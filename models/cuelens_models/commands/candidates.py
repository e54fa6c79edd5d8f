"""Trains the network of candidates, and writes it as int8.

    python -m cuelens_models.commands.candidates FER.npz --heads HEADS.npz --photographs FOLDER --out candidates.tflite

--heads: cut-outs that `python -m benchmarks.heads cutouts` draws. --photographs: pictures without people; those of
wallpapers do. Half of scikit-image's pictures without people are learned from too; the others stay for the benchmarks.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np

from cuelens_models.atomic_file import write_whole
from cuelens_models.command import finish, need, parser
from cuelens_models.data.composites import HEIGHT, WIDTH, composite
from cuelens_models.data.load import load
from cuelens_models.data.pasted_heads import HeadShop
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.candidates import SEED, fit, network_input, photographs, to_int8

_STEPS: Final = 12_000
_POOL: Final = 48_000
_REPRESENTATIVE: Final = 300


def main() -> int:
    """Train as the command line says. Returns the exit status."""
    options = parser("python -m cuelens_models.commands.candidates", __doc__ or "")
    options.add_argument("data", type=Path, help="faces to learn from (see train-model)")
    options.add_argument("--heads", type=Path, required=True, help="cut-outs of synthetic heads")
    options.add_argument("--photographs", type=Path, required=True, help="folder of pictures without people")
    options.add_argument("--out", type=Path, required=True, help="the .tflite file to write")
    options.add_argument("--steps", type=int, default=_STEPS)
    options.add_argument("--pool", type=int, default=_POOL, help="how many pictures to learn from")
    chosen = options.parse_args()
    need("train", "keras", "tensorflow", "skimage")
    shop = HeadShop(load(chosen.data).training, chosen.heads)
    walls, random = photographs(chosen.photographs), np.random.default_rng(SEED)
    pool = [composite(shop, walls, random) for _ in range(chosen.pool)]
    with tensorflow_quiet():
        network = fit(pool, chosen.steps)
        # Black and white, so that the input's scale is that of grey levels.
        whole = np.linspace(0, 255, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
        some = np.stack([whole, *(picture for picture, _ in pool[:_REPRESENTATIVE])])
        model = to_int8(network, network_input(some))
    write_whole(chosen.out, model)
    print(f"wrote {chosen.out}, {len(model)} bytes")
    return 0


if __name__ == "__main__":
    finish("candidates", main, debug="--debug" in sys.argv)
