"""Reads what a bundle says of itself: what goes in, what comes out, when it is believed, and how good it is."""

import argparse
from pathlib import Path

from cuelens_models.bundle.file import SHIPPED, load


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("bundle", nargs="?", type=Path, default=SHIPPED)
    contract = load(options.parse_args().bundle).contract
    fed, scored = contract.input, contract.metrics
    print(contract.title())
    print(f"in: {fed.width} x {fed.height} x {fed.channels}, {fed.dtype}, cut around a box of {fed.crop.detector}")
    for label, enter in contract.probabilities.enter.items():
        print(f"out: {label}, believed from {enter:.0%} on")
    print(f"right: {scored.accuracy:.1%} of {scored.images} faces ({scored.protocol})")


if __name__ == "__main__":
    main()
