"""Says what each face in a photograph looks like, and how sure the network is."""

import argparse
from pathlib import Path

from cuelens.adapters.demo_scene import PHOTOGRAPHS
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.still import decode
from cuelens.profile import wording
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop
from cuelens_models.bundle.scores import probabilities


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("photograph", nargs="?", type=Path, default=PHOTOGRAPHS / "astronaut.png")
    grey = decode(options.parse_args().photograph)
    bundle = load(SHIPPED)
    interpreter = Interpreter(bundle)
    for box in HaarDetector().detect(grey, 40, min(grey.shape)):
        scores = probabilities(interpreter.outputs(crop(grey, box, bundle.contract)), bundle.contract)
        label = bundle.contract.labels[scores.argmax()]
        print(f"face at {box[:2]}, {box[2]} pixels wide: {wording.looks(label)} ({scores.max():.0%})")


if __name__ == "__main__":
    main()
