"""The command `convert-model`: converts networks to bundles, and inspects or edits bundles."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cuelens_convert import batch, edit
from cuelens_models import command
from cuelens_models.atomic_file import make_folder
from cuelens_models.bundle import file
from cuelens_models.commands.options import add_classes, seed
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.quiet import tensorflow_quiet

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_SCHEMES: Final = ("int8", "int16x8", "dynamic", "float16", "float32")
_PIXELS: Final = ("0..255", "0..1", "symmetric", "standardised")
_EDITS: Final = ("relabel", "thresholds", "temperature")
_EXAMPLES = """\
examples:
  convert-model runs/mine/cuelens.keras --data fer2013.csv -o mine.tflite
  convert-model mine.h5 --labels angry,disgust,fear,happy,sad,surprise,neutral --pixels 0..1 --data faces/ -o m.tflite
  convert-model mine.keras --data faces/ -o mine.tflite --report report   # also writes report/index.html
  convert-model a.keras b.keras --data faces/ -o bundles --jobs 2          # several networks, into a folder
  convert-model --inspect mine.tflite
  convert-model mine.tflite -o careful.tflite --thresholds happy=0.8,angry=0.9
then:
  cuelens run --bundle mine.tflite --source v4l2:0
MODEL is a .keras or .h5 file of Keras 3, 2 or 1, or a SavedModel folder of Keras 2. Files of train-model describe their
outputs; for other networks give --labels in the order of the outputs."""


def main() -> None:
    """Convert networks, or inspect or edit a bundle."""
    parser = command_line()
    options = parser.parse_args()
    _check(parser, options)
    if options.inspect:
        work = _inspect
    elif any(getattr(options, name) is not None for name in _EDITS):
        work = _edit
    elif len(options.models) > 1:
        work = _convert_all
    else:
        work = _convert
    command.finish("convert-model", lambda: work(options), debug=options.debug)


def command_line() -> "ArgumentParser":
    """Return the parser of the command line."""
    parser = command.parser(
        "convert-model",
        "Convert trained Keras networks to int8 bundles for the glasses, and refuse those that lose accuracy.",
        _EXAMPLES,
    )
    parser.add_argument(
        "models", type=Path, metavar="MODEL", nargs="*", help="networks to convert, or a bundle to edit"
    )
    parser.add_argument("--data", type=Path, help="faces: fer2013.csv, an .npz, or a folder (docs/training.md)")
    add_classes(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="bundle (of several networks: folder) to write"
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="folder to write a page about the conversion to")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="networks to convert in parallel (%(default)s)"
    )

    network = parser.add_argument_group("for a network that train-model did not write")
    network.add_argument("--labels", type=_words, metavar="A,B,...", help="labels of its outputs, in their order")
    network.add_argument(
        "--pixels", choices=_PIXELS, help="range of grey levels it expects; symmetric: -1 to 1; standardised: each face"
    )
    network.add_argument(
        "--protocol", choices=tuple(PROTOCOLS), help="which faces count, and their labels (derived from --labels)"
    )
    network.add_argument(
        "--as-described",
        action="store_true",
        help="convert although the held-out faces speak against its labels, its pixels or a class",
    )

    how = parser.add_argument_group("how to convert")
    how.add_argument(
        "--scheme", choices=_SCHEMES, default=_SCHEMES[0], help="format of weights and activations (%(default)s)"
    )
    how.add_argument(
        "--representative",
        type=Path,
        metavar="DIR",
        help="photographs to measure ranges on (training faces)",
    )
    how.add_argument("--images", type=int, default=500, metavar="N", help="representative images at most (%(default)s)")
    how.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="seed of their choice, and of fine-tuning (%(default)s)"
    )
    how.add_argument(
        "--fine-tune",
        type=int,
        default=0,
        metavar="EPOCHS",
        help="fine-tune for int8 rounding if too much is lost (%(default)s)",
    )

    gate = parser.add_argument_group("what may be lost (a larger loss is refused if significant: McNemar's test, 5 %)")
    gate.add_argument("--max-drop", type=float, default=0.5, metavar="POINTS", help="of accuracy (%(default)s)")
    gate.add_argument(
        "--max-class-drop",
        type=float,
        default=3.0,
        metavar="POINTS",
        help="of recall in one class with 100 held-out images (%(default)s)",
    )
    gate.add_argument(
        "--min-agreement",
        type=float,
        metavar="PERCENT",
        help="of images that both models name alike (not required)",
    )
    gate.add_argument("--expect", type=Path, metavar="BUNDLE", help="refuse a content that differs from this bundle's")

    bundle = parser.add_argument_group("for a bundle")
    bundle.add_argument("--inspect", type=Path, metavar="BUNDLE", help="print its contract")
    bundle.add_argument("--relabel", type=_words, metavar="A,B,...", help="write a copy with other labels, all of them")
    bundle.add_argument(
        "--thresholds", metavar="A=X,...", help="write a copy with other thresholds, 0 to 1, against neutral"
    )
    bundle.add_argument("--temperature", type=float, metavar="T", help="write a copy with another temperature")
    return parser


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _check(parser: "ArgumentParser", options: "Namespace") -> None:
    """Exit with a usage error if options conflict, are missing, or are out of range."""
    edits = [name for name in _EDITS if getattr(options, name) is not None]
    if options.inspect and (options.models or edits or options.output or options.data):
        parser.error("--inspect BUNDLE takes no other option")
    if options.inspect:
        return
    lacking = {
        "MODEL (or --inspect BUNDLE)": not options.models,
        "--data DATA": options.data is None and not edits,
        "-o OUT": options.output is None,
    }
    if any(lacking.values()):
        parser.error(f"required, but missing: {', '.join(name for name, missing in lacking.items() if missing)}")
    if edits and (len(options.models) > 1 or options.data):
        parser.error(f"--{edits[0]} edits one bundle: give its file and -o, and no --data")
    if not edits:
        _check_conversion(parser, options)


def _check_conversion(parser: "ArgumentParser", options: "Namespace") -> None:
    if len(options.models) > 1 and options.expect:
        parser.error("--expect is for a single MODEL")
    for name in ("max_drop", "max_class_drop", "min_agreement"):
        if getattr(options, name) is not None and math.isnan(getattr(options, name)):
            parser.error(f"--{name.replace('_', '-')} must be a number")
    for name, least in (("jobs", 1), ("images", 1), ("fine_tune", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name.replace('_', '-')} must be {least} or more")


def _inspect(options: "Namespace") -> int:
    bundle = file.load(options.inspect)
    print("\n".join(edit.describe(bundle.contract, options.inspect.stat().st_size)))
    return 0


def _edit(options: "Namespace") -> int:
    thresholds = edit.parse_thresholds(options.thresholds) if options.thresholds else None
    contract = edit.edit_bundle(
        options.models[0], options.output, edit.Changes(options.relabel, thresholds, options.temperature)
    )
    print("\n".join(edit.describe(contract, options.output.stat().st_size)))
    return 0


def _need_packages(options: "Namespace") -> None:
    command.need("convert", *(("jinja2", "matplotlib") if options.report else ()), "keras", "tensorflow", "rich")


def _convert_all(options: "Namespace") -> int:
    _need_packages(options)
    return batch.convert_all(options)


def _convert(options: "Namespace") -> int:
    (model,) = options.models
    for name, path in (("model ", model), ("", options.data)):
        if not path.exists():  # before TensorFlow, whose import takes seconds
            raise BadInput(f"{name}{path} does not exist")
    if not options.output.parent.is_dir():
        raise Unwritable(f"{options.output} cannot be written: there is no folder {options.output.parent}")
    command.refuse_overwriting(options.output, [model, options.data, options.expect])
    if options.representative and not options.representative.is_dir():
        raise BadInput(f"{options.representative} is no folder of photographs")
    expected = file.load(options.expect) if options.expect else None
    _need_packages(options)
    if options.report:
        make_folder(options.report)
    try:
        with tensorflow_quiet():
            from cuelens_convert.run import run_conversion
    except ImportError as error:
        raise command.require(error.name or "tensorflow", "convert") from error
    return run_conversion(options, expected)
