"""Options that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError

from cuelens_models.data import classes
from cuelens_models.data.classes import Classes
from cuelens_models.errors import BadInput


def add_classes(parser: ArgumentParser) -> None:
    """Add --classes: what the foreign names of the classes of DATA stand for."""
    parser.add_argument(
        "--classes",
        type=_classes,
        default=classes.NONE,
        metavar="NAME=LABEL,...",
        help="what names of classes in DATA stand for that are no labels, for example enojo=angry,feliz=happy",
    )


def _classes(text: str) -> Classes:
    try:
        return classes.parse(text)
    except BadInput as error:
        raise ArgumentTypeError(str(error)) from error
