"""The command `evaluate-model`: what a model scores on faces that nothing was chosen on."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.data.haar import HaarCrop
from cuelens_models.data.images import whole
from cuelens_models.data.load import HeldOut, load_held_out
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import Unwritable
from cuelens_models.evaluate.candidate import Candidate, open_candidate
from cuelens_models.evaluate.evaluate import Evaluation, evaluate, figures
from cuelens_models.progress import display

_EXAMPLES = """\
examples:
  evaluate-model mine.tflite --data faces/ --protocol ferplus8
  evaluate-model mine.tflite --data photographs/ --protocol fer6 --crop haar --json
  evaluate-model mine.tflite --data faces/ --report mine.html"""


def main() -> None:
    """Evaluate a model."""
    options = command.parser("evaluate-model", "Measure a bundle or a .keras file on held-out faces.", _EXAMPLES)
    options.add_argument("model", type=Path, metavar="MODEL", help="a bundle, or a .keras file that train-model wrote")
    options.add_argument("--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--protocol", default="ferplus8", choices=PROTOCOLS, help="(default: %(default)s)")
    options.add_argument(
        "--crop",
        default="none",
        choices=("none", "haar"),
        help="haar: cut the largest face out of pictures over 96 pixels, as the glasses do (default: %(default)s)",
    )
    options.add_argument("--json", action="store_true", help="print JSON")
    options.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with every figure")
    options.add_argument(
        "--show-faces", action="store_true", help="show the worst mistakes on that page: it must not be passed on then"
    )
    given = options.parse_args()
    if given.show_faces and not given.report:
        options.error("--show-faces needs --report FILE.html")
    command.finish("evaluate-model", lambda: _evaluate(given), debug=given.debug)


def _evaluate(given: argparse.Namespace) -> int:
    if given.report:
        _check_report(given.report, given.model, given.data)
    with display(sys.stderr) as steps:
        steps.stage("opening the model")
        model = open_candidate(given.model)
        steps.stage("reading the faces")
        data, crop = _read(given.data, model, given.crop)
        found = evaluate(model, data, given.protocol, steps)
        said = figures(found, crop)
        if given.report:
            steps.stage("drawing the page", 0)
            write_whole(given.report, _page(found, said, given).encode())
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        print("\n".join(_lines(said)))
    return 0


def _check_report(report: Path, model: Path, data: Path) -> None:
    """Raise what would keep the page from being written, before the work is done."""
    if not report.parent.is_dir():
        raise Unwritable(f"{report} cannot be written: there is no folder {report.parent}")
    if report.is_dir():
        raise Unwritable(f"{report} cannot be written: it is a folder")
    beside = [model.with_suffix(".keras")] if model.name else []
    beside += [data.with_name("fer2013new.csv")] if data.name else []
    command.refuse_overwriting(report, [model, data, *beside])
    try:
        import matplotlib  # noqa: F401 - asked for before the work, not after it
    except ImportError as error:
        raise command.require("matplotlib", "train") from error


def _read(path: Path, model: Candidate, crop: str) -> tuple[HeldOut, dict[str, str | int] | None]:
    if crop == "none":
        return load_held_out(path, whole), None
    cutter = HaarCrop(model.input)
    data = load_held_out(path, cutter.face)
    if not cutter.met:
        unused = f"{path.name} holds faces of 48x48 pixels, not pictures: --crop haar changes nothing"
        data = HeldOut(data.name, data.faces, data.part, (*data.notes, unused))
    return data, cutter.counts()


def _page(found: Evaluation, said: dict[str, Any], given: argparse.Namespace) -> str:
    from cuelens_models.report.page import page

    # Names without folders: a page that is passed on should not tell where its maker keeps things.
    words = ["evaluate-model", given.model.name, "--data", given.data.name, "--protocol", given.protocol]
    words += ["--crop", given.crop, "--report", "FILE.html", *(["--show-faces"] if given.show_faces else [])]
    return page(found, said, words, show_faces=given.show_faces)


def _lines(said: dict[str, Any]) -> Iterator[str]:
    """Yield the figures for people, a line for each kind."""
    drawn, cost, crop = said["intervals"], said["cost"], said.get("crop")
    yield f"{said['protocol']}, {said['images']} images"
    yield (
        f"accuracy {said['accuracy']:.2%} ({_span(drawn['accuracy'], '.1%')}),"
        f" macro-F1 {said['macro_f1']:.3f} ({_span(drawn['macro_f1'], '.3f')}),"
        f" over all classes {said['macro_f1_all']:.3f} ({_span(drawn['macro_f1_all'], '.3f')}),"
        f" ECE {said['ece']:.3f} ({_span(drawn['ece'], '.3f')})"
    )
    yield "recall    " + "  ".join(
        f"{word} {value:.0%} ({_span(drawn['recall'][word], '.0%')})" for word, value in said["recall"].items()
    )
    yield "AUC       " + "  ".join(f"{word} {value:.3f}" for word, value in said["auc"].items())
    yield "coverage  " + "  ".join(f"{float(share):.0%}: {value:.1%}" for share, value in said["coverage"].items())
    told = said["said"]
    if told:
        right = "" if told["accuracy"] is None else f", right {told['accuracy']:.1%} of the time"
        yield f"said      of {told['share']:.1%} of the images at the bundle's thresholds{right}"
    if said["not_a_face"] is not None:
        yield f"no face   is seen in {said['not_a_face']:.1%} of the images"
    yield "corrupted " + "  ".join(
        f"{name.replace('_', ' ')} {value:.1%}" for name, value in said["robustness"].items() if name != "none"
    )
    counted = [f"{cost[key]:,} {name}" for key, name in _COUNTED if cost[key] is not None]
    yield f"cost      {', '.join(counted)}{', ' if counted else ''}{cost['bytes'] / 1024:.0f} KiB"
    if crop:
        yield (
            f"cropped   a face was found in {crop['found']} pictures, in {crop['not_found']} none was and all of the"
            f" picture is used; {crop['cropped_before']} are small enough to be faces"
        )
    for note in said["notes"]:
        yield f"note      {note}"
    yield "in brackets: 95 % bootstrap intervals"


_COUNTED = (("parameters", "parameters"), ("multiply_adds", "multiply-adds"))


def _span(interval: list[float], form: str) -> str:
    return " to ".join(format(end, form) for end in interval)
