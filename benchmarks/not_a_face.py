"""Measure what becomes of false detections: pictures without a face, of which the detector found one.

    python benchmarks/not_a_face.py [--bundle BUNDLE] [--pictures N] [--seed N]

Cuts of four pictures that no network here learned from (a cat, a cup of coffee, bricks, a text), turned, scaled and lit
anyhow: half at any place, half what the cascade's single hits cut out. Printed is the share that is taken for no face,
and the share that reaches the threshold of an expression, and would be told if it stayed.
"""

import argparse
from pathlib import Path

import numpy as np

from cuelens_models.bundle import file
from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.scores import probabilities
from cuelens_models.data.backgrounds import HELD_OUT, backgrounds
from cuelens_models.evaluate.metrics import spoken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=file.SHIPPED)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bundle = file.load(given.bundle)
    labels = bundle.contract.labels
    interpreter = Interpreter(bundle)
    shown = backgrounds(given.pictures, given.seed, HELD_OUT, textures=0.0).pixels
    answers = probabilities(np.stack([interpreter.outputs(picture) for picture in shown]), bundle.contract)
    if NOT_A_FACE in labels:
        doubted = answers[:, labels.index(NOT_A_FACE)] > 0.5
        print(f"taken for no face: {doubted.mean():.1%} of {len(shown)}")
    told = spoken(answers, labels, bundle.contract.probabilities.enter)
    print(f"over the threshold of an expression: {(told != '').mean():.1%}")


if __name__ == "__main__":
    main()
