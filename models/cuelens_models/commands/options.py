"""Options that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Final

from cuelens_models.data import classes
from cuelens_models.data.classes import Classes
from cuelens_models.errors import BadInput

_SEEDS: Final = 10
"""Networks of one command at most, teachers for example. Each has a seed of its own, and numpy takes 32 bits."""


def add_classes(parser: ArgumentParser) -> None:
    """Add --classes: what the foreign names of the classes of DATA stand for."""
    parser.add_argument(
        "--classes",
        type=_classes,
        default=classes.NONE,
        metavar="NAME=LABEL,...",
        help="what names of classes in DATA stand for that are no labels, for example enojo=angry,feliz=happy",
    )


def add_arithmetic(parser: ArgumentParser) -> None:
    """Add --precision and --seed: in what numbers networks are trained, and from which random ones."""
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of most of the arithmetic; bfloat16 is quicker where the processor has it (%(default)s)",
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the trainings (%(default)s)")


def seed(text: str) -> int:
    """Return a seed of the command line. Raises ArgumentTypeError if it is none that numpy takes."""
    if not (text.isascii() and text.isdecimal() and int(text) < 2**32 - _SEEDS):
        raise ArgumentTypeError(f"{text!r} is no seed: expected a number from 0 to {2**32 - _SEEDS - 1}")
    return int(text)


def _classes(text: str) -> Classes:
    try:
        return classes.parse(text)
    except BadInput as error:
        raise ArgumentTypeError(str(error)) from error
