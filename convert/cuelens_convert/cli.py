"""The command `convert-model`: networks in, bundles for the glasses out; and bundles looked at and changed."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cuelens_convert import batch, edit
from cuelens_models import command
from cuelens_models.atomic_file import make_folder
from cuelens_models.bundle import file
from cuelens_models.data.load import load
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
  convert-model mine.keras --data faces/ -o mine.tflite --report report   # with a page: report/index.html
  convert-model a.keras b.keras --data faces/ -o bundles --jobs 2          # several, into a folder
  convert-model --inspect mine.tflite
  convert-model mine.tflite -o careful.tflite --thresholds happy=0.8,angry=0.9
then:
  cuelens run --bundle mine.tflite --source v4l2:0
MODEL is a .keras or .h5 file of Keras 3 or 2, or a SavedModel folder of Keras 2. What train-model wrote says itself
what its outputs mean; for others give --labels in the order of the outputs."""


def main() -> None:
    """Convert networks, or look at and change a bundle."""
    options = _options()
    given = options.parse_args()
    _check(options, given)
    if given.inspect:
        work = _inspect
    elif any(getattr(given, name) is not None for name in _EDITS):
        work = _edit
    elif len(given.models) > 1:
        work = batch.convert_all
    else:
        work = _convert
    command.finish("convert-model", lambda: work(given), debug=given.debug)


def _options() -> "ArgumentParser":
    options = command.parser(
        "convert-model",
        "Turn trained Keras networks into int8 bundles for the glasses, and refuse those that got worse.",
        _EXAMPLES,
    )
    options.add_argument("models", type=Path, metavar="MODEL", nargs="*", help="a network to convert, or several")
    options.add_argument("--data", type=Path, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("-o", "--output", type=Path, metavar="OUT", help="the bundle to write; of several, a folder")
    options.add_argument("--report", type=Path, metavar="DIR", help="write a page about the conversion there")
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="networks to convert at a time (%(default)s)")

    network = options.add_argument_group("of a network that train-model did not write")
    network.add_argument("--labels", type=_words, metavar="A,B,...", help="what its outputs mean, in their order")
    network.add_argument(
        "--pixels", choices=_PIXELS, help="how grey levels are fed to it; symmetric: -1 to 1; standardised: each face"
    )
    network.add_argument(
        "--protocol", choices=tuple(PROTOCOLS), help="which faces count, and as what (from its labels)"
    )

    how = options.add_argument_group("how to convert")
    how.add_argument("--scheme", choices=_SCHEMES, default=_SCHEMES[0], help="numbers to compute with (%(default)s)")
    how.add_argument(
        "--representative",
        type=Path,
        metavar="DIR",
        help="photographs to measure ranges on (faces of the training part)",
    )
    how.add_argument("--images", type=int, default=500, metavar="N", help="representative images (%(default)s)")
    how.add_argument("--seed", type=int, default=0, metavar="N", help="which images are chosen (%(default)s)")
    how.add_argument(
        "--fine-tune",
        type=int,
        default=0,
        metavar="EPOCHS",
        help="if too much is lost, let the network learn to be rounded (%(default)s)",
    )

    gate = options.add_argument_group("what may be lost: more, and not by chance (McNemar, 5 %%), is refused")
    gate.add_argument("--max-drop", type=float, default=0.5, metavar="POINTS", help="of accuracy (%(default)s)")
    gate.add_argument(
        "--max-class-drop",
        type=float,
        default=3.0,
        metavar="POINTS",
        help="of recall in one class with 100 held-out images (%(default)s)",
    )
    gate.add_argument(
        "--min-agreement", type=float, metavar="PERCENT", help="of images that both name alike (said, not asked for)"
    )
    gate.add_argument("--expect", type=Path, metavar="BUNDLE", help="refuse another content digest than this bundle's")

    bundle = options.add_argument_group("of a bundle")
    bundle.add_argument("--inspect", type=Path, metavar="BUNDLE", help="print what it says of itself")
    bundle.add_argument(
        "--relabel", type=_words, metavar="A,B,...", help="write it anew with other labels, all of them"
    )
    bundle.add_argument("--thresholds", metavar="A=X,...", help="... with other thresholds, 0 to 1")
    bundle.add_argument("--temperature", type=float, metavar="T", help="... with another temperature")
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _check(options: "ArgumentParser", given: "Namespace") -> None:
    """End with a word on usage if options do not go together, or are out of range."""
    edits = [name for name in _EDITS if getattr(given, name) is not None]
    if given.inspect and (given.models or edits or given.output or given.data):
        options.error("--inspect BUNDLE stands alone")
    if given.inspect:
        return
    if not given.models:
        options.error("a MODEL is needed, or --inspect BUNDLE")
    if given.output is None:
        options.error("-o is needed")
    if edits and (len(given.models) > 1 or given.data):
        options.error(f"--{edits[0]} takes one bundle and -o, and no --data")
    if not edits:
        _check_conversion(options, given)


def _check_conversion(options: "ArgumentParser", given: "Namespace") -> None:
    if given.data is None:
        options.error("--data is needed to convert")
    if len(given.models) > 1 and given.expect:
        options.error("--expect is for one MODEL")
    for name in ("max_drop", "max_class_drop", "min_agreement"):
        if getattr(given, name) is not None and math.isnan(getattr(given, name)):
            options.error(f"--{name.replace('_', '-')} must be a number")
    for name, least in (("jobs", 1), ("images", 1), ("fine_tune", 0), ("seed", 0)):
        if getattr(given, name) < least:
            options.error(f"--{name.replace('_', '-')} must be {least} or more")


def _inspect(given: "Namespace") -> int:
    bundle = file.load(given.inspect)
    print("\n".join(edit.described(bundle.contract, given.inspect.stat().st_size)))
    return 0


def _edit(given: "Namespace") -> int:
    thresholds = edit.read_thresholds(given.thresholds) if given.thresholds else None
    contract = edit.write_changed(
        given.models[0], given.output, edit.Changes(given.relabel, thresholds, given.temperature)
    )
    print("\n".join(edit.described(contract, given.output.stat().st_size)))
    return 0


def _convert(given: "Namespace") -> int:
    (model,) = given.models
    if not given.output.parent.is_dir():
        raise Unwritable(f"{given.output} cannot be written: there is no folder {given.output.parent}")
    command.refuse_overwriting(given.output, [model, given.data, given.expect])
    if given.representative and not given.representative.is_dir():
        raise BadInput(f"{given.representative} is no folder of photographs")
    digest = file.load(given.expect).contract.content_digest if given.expect else None
    if given.report:
        make_folder(given.report)
    data = load(given.data)
    try:
        with tensorflow_quiet():
            from cuelens_convert.run import convert_one
    except ImportError as error:
        raise command.require(error.name or "tensorflow", "convert") from error
    return convert_one(given, data, digest)
