"""Trains the network of candidates, and writes it as int8.

    python -m cuelens_models.commands.candidates FER.npz --heads HEADS.npz --photographs FOLDER --out candidates.tflite

--heads: cut-outs that `python -m benchmarks.heads cutouts` draws. --photographs: pictures without people; those of
wallpapers do. Half of scikit-image's pictures without people are learned from too; the others stay for the benchmarks.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import numpy as np

from cuelens_models import command
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.data.composites import HEIGHT, WIDTH, composite
from cuelens_models.data.load import check_exists, load
from cuelens_models.data.pasted_heads import HeadShop
from cuelens_models.errors import BadInput
from cuelens_models.quiet import native_quiet, tensorflow_quiet
from cuelens_models.train.candidates import SEED, fit, network_input, photographs, to_int8

_STEPS: Final = 12_000
_POOL: Final = 48_000
_REPRESENTATIVE: Final = 300


def main() -> None:
    """Train as the command line says."""
    parser = command_line()
    options = parser.parse_args()
    for name in ("steps", "pool"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be 1 or more")
    command.finish("candidates", lambda: _train(options), debug=options.debug)


def command_line() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = command.parser("python -m cuelens_models.commands.candidates", __doc__ or "")
    parser.add_argument("data", type=Path, metavar="DATA", help="faces to learn from (see train-model)")
    parser.add_argument("--heads", type=Path, required=True, metavar="FILE.npz", help="cut-outs of synthetic heads")
    parser.add_argument(
        "--photographs", type=Path, required=True, metavar="FOLDER", help="folder of pictures without people"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.tflite", help="the file to write")
    parser.add_argument("--steps", type=int, default=_STEPS, metavar="N", help="of training (%(default)s)")
    parser.add_argument(
        "--pool", type=int, default=_POOL, metavar="N", help="how many pictures to learn from (%(default)s)"
    )
    return parser


def _train(options: Namespace) -> int:
    command.need("train", "keras", "tensorflow", "skimage")
    check_exists(options.data)
    command.refuse_overwriting(options.out, [options.data, options.heads, options.photographs])
    try:
        with tensorflow_quiet(gpu=True):
            import keras
            import tensorflow  # noqa: F401 - missing packages are named before the work begins
    except ImportError as error:
        raise command.require(error.name or "tensorflow", "train") from error
    if keras.backend.backend() != "tensorflow":
        raise BadInput(f"this trains with Keras on TensorFlow, not on {keras.backend.backend()}: unset KERAS_BACKEND")
    # The decoder complains of colour profiles that grey levels do not need.
    with native_quiet():
        walls = photographs(options.photographs)
    shop = HeadShop(load(options.data).training, options.heads)
    make_folder(options.out.parent)
    random = np.random.default_rng(SEED)
    pool = [composite(shop, walls, random) for _ in range(options.pool)]
    network = fit(pool, options.steps)
    # Black and white, so that the input's scale is that of grey levels.
    whole = np.linspace(0, 255, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    some = np.stack([whole, *(picture for picture, _ in pool[:_REPRESENTATIVE])])
    with tensorflow_quiet(gpu=True):
        model = to_int8(network, network_input(some))
    write_whole(options.out, model)
    print(f"wrote {options.out}, {len(model)} bytes")
    return 0


if __name__ == "__main__":
    main()
