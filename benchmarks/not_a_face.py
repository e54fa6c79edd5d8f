"""Measure how a network answers false detections: pictures without a face that the detector takes for one.

    python benchmarks/not_a_face.py [--bundle BUNDLE] [--pictures N] [--seed N]

The pictures are cuts of four photographs that no network here learned from (a cat, a cup of coffee, bricks, a text), in
random rotation, scale and light. Half are random squares; half are single hits of the cascade. The script prints the
share that the network takes for no face, and the share that reaches the threshold of an expression.
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
    options = parser.parse_args()
    bundle = file.load(options.bundle)
    labels = bundle.contract.labels
    interpreter = Interpreter(bundle)
    pictures = backgrounds(options.pictures, options.seed, HELD_OUT, textures=0.0).pixels
    answers = probabilities(np.stack([interpreter.outputs(picture) for picture in pictures]), bundle.contract)
    if NOT_A_FACE in labels:
        rejected = answers[:, labels.index(NOT_A_FACE)] > 0.5
        print(f"taken for no face: {rejected.mean():.1%} of {len(pictures)}")
    words = spoken(answers, labels, bundle.contract.probabilities.enter)
    print(f"over the threshold of an expression: {(words != '').mean():.1%}")


if __name__ == "__main__":
    main()
