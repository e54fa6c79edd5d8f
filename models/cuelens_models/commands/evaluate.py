"""The command `evaluate-model`: the figures of a model on held-out faces."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.commands.options import add_classes
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import Unwritable
from cuelens_models.progress import display

if TYPE_CHECKING:  # imported once the first stage is told
    from cuelens_models.data.load import HeldOut
    from cuelens_models.evaluate.candidate import Candidate
    from cuelens_models.evaluate.evaluate import Evaluation

_EXAMPLES = """\
examples:
  evaluate-model mine.tflite --data faces/ --protocol ferplus8
  evaluate-model mine.tflite --data faces/ --protocol fer7    # original labels; labels that these lack are left out
  evaluate-model mine.tflite --data photographs/ --protocol fer6 --crop haar --json
  evaluate-model mine.tflite --data faces/ --corruptions --report mine.html"""


def main() -> None:
    """Evaluate a model."""
    parser = command_line()
    options = parser.parse_args()
    lacking = {
        "MODEL": options.model is None,
        "--data DATA": options.data is None,
        "--report FILE.html (for --show-faces)": options.show_faces and not options.report,
    }
    if any(lacking.values()):
        parser.error(f"required, but missing: {', '.join(name for name, missing in lacking.items() if missing)}")
    command.finish("evaluate-model", lambda: _evaluate(options), debug=options.debug)


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command.parser("evaluate-model", "Measure a bundle or a .keras file on held-out faces.", _EXAMPLES)
    parser.usage = "evaluate-model MODEL --data DATA [--protocol P] [--crop none|haar] [--corruptions] [...]"
    # argparse asks for what is required before it knows what other options need; here all is asked for at once.
    parser.add_argument(
        "model", type=Path, metavar="MODEL", nargs="?", help="a bundle, or a .keras file that train-model wrote"
    )
    parser.add_argument("--data", type=Path, help="fer2013.csv, an .npz, or a folder of faces (docs/training.md)")
    add_classes(parser)
    parser.add_argument(
        "--protocol",
        default="ferplus8",
        choices=PROTOCOLS,
        help="which faces count, and their labels (default: %(default)s)",
    )
    parser.add_argument(
        "--crop",
        default="none",
        choices=("none", "haar"),
        help="haar: cut the largest face out of pictures over 96 pixels, as the glasses do (default: %(default)s)",
    )
    parser.add_argument(
        "--corruptions",
        action="store_true",
        help="also measure the same faces with eight faults of a small camera, among them all at once (takes longer)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with every figure")
    parser.add_argument(
        "--show-faces", action="store_true", help="show the worst mistakes on that page: it must not be passed on then"
    )
    return parser


def _evaluate(options: argparse.Namespace) -> int:
    if options.report:
        _check_report(options.report, options.model, options.data)
    with display(sys.stderr, stage_line="{} ...") as steps:
        steps.stage("opening the model")
        from cuelens_models.evaluate.candidate import open_candidate
        from cuelens_models.evaluate.evaluate import check_protocol, evaluate, figures

        model = open_candidate(options.model)
        check_protocol(model, options.protocol)
        steps.stage("reading the faces")
        data, crop = _read(options, model)
        evaluation = evaluate(model, data, options.protocol, steps, corruptions=options.corruptions)
        report = figures(evaluation, crop)
        if options.report:
            steps.stage("drawing the page", 0)
            write_whole(options.report, _page(evaluation, report, options).encode())
    if options.json:
        print(command.to_json(report))
    else:
        print("\n".join(_lines(report)))
    return 0


def _check_report(report: Path, model: Path, data: Path) -> None:
    """Raise an error if the page cannot be written, before the long evaluation."""
    if not report.parent.is_dir():
        raise Unwritable(f"{report} cannot be written: there is no folder {report.parent}")
    if report.is_dir():
        raise Unwritable(f"{report} cannot be written: it is a folder")
    beside = [model.with_suffix(".keras")] if model.name else []
    beside += [data.with_name("fer2013new.csv")] if data.name else []
    command.refuse_overwriting(report, [model, data, *beside])
    command.need("train", "jinja2", "matplotlib")


def _read(options: argparse.Namespace, model: "Candidate") -> "tuple[HeldOut, dict[str, str | int] | None]":
    from cuelens_models.data.images import whole
    from cuelens_models.data.load import load_held_out

    if options.crop == "none":
        return load_held_out(options.data, whole, options.classes), None
    from cuelens_models.data.haar import HaarCrop

    cutter = HaarCrop(model.input)
    data = load_held_out(options.data, cutter.face, options.classes)
    if not cutter.pictures:
        unused = f"{options.data.name} holds faces of 48x48 pixels, not pictures: --crop haar changes nothing"
        data = replace(data, notes=(*data.notes, unused))
    return replace(data, missed=tuple(cutter.missed_places)), cutter.counts()


def _page(evaluation: "Evaluation", report: dict[str, Any], options: argparse.Namespace) -> str:
    from cuelens_models.report.page import page

    # File names without folders: a page that is passed on should not reveal the folders of its maker.
    words = ["evaluate-model", options.model.name, "--data", options.data.name, "--protocol", options.protocol]
    if options.classes:
        words += ["--classes", ",".join(f"{name}={label}" for name, label in options.classes.items())]
    words += ["--corruptions"] if options.corruptions else []
    words += ["--crop", options.crop, "--report", "FILE.html", *(["--show-faces"] if options.show_faces else [])]
    return page(evaluation, report, words, show_faces=options.show_faces)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that are printed without --json."""
    bounds, cost, crop = report["intervals"], report["cost"], report.get("crop")
    yield f"{report['protocol']}, {report['images']} images"
    yield (
        f"accuracy {report['accuracy']:.2%} ({_span(bounds['accuracy'], '.1%')}),"
        f" macro-recall {report['macro_recall']:.2%} ({_span(bounds['macro_recall'], '.1%')}),"
        f" macro-F1 {report['macro_f1']:.3f} ({_span(bounds['macro_f1'], '.3f')}),"
        f" over all classes {report['macro_f1_all']:.3f} ({_span(bounds['macro_f1_all'], '.3f')}),"
        f" ECE {report['ece']:.3f} ({_span(bounds['ece'], '.3f')})"
    )
    if report["ties"]:
        yield f"ties      the top outputs are equal in {report['ties']} images: the first of these labels is taken"
    yield "recall    " + "  ".join(
        f"{word} {value:.0%} ({_span(bounds['recall'][word], '.0%')})" for word, value in report["recall"].items()
    )
    yield "AUC       " + "  ".join(f"{word} {value:.3f}" for word, value in report["auc"].items())
    yield "coverage  " + "  ".join(f"{float(share):.0%}: {value:.1%}" for share, value in report["coverage"].items())
    if cues := report["said"]:
        right = "" if cues["accuracy"] is None else f", right {cues['accuracy']:.1%} of the time"
        yield f"said      of {cues['share']:.1%} of the images at the bundle's thresholds{right}"
    if report["not_a_face"] is not None:
        yield f"no face   is seen in {report['not_a_face']:.1%} of the images"
    corrupted = {name: value for name, value in report["robustness"].items() if name != "none"}
    if corrupted:
        yield "corrupted " + "  ".join(f"{name.replace('_', ' ')} {value:.1%}" for name, value in corrupted.items())
    counts = [f"{cost[key]:,} {name}" for key, name in _COUNTS if cost[key] is not None]
    yield "cost      " + ", ".join([*counts, f"{cost['bytes'] / 1024:.0f} KiB"])
    if crop:
        yield (
            f"cropped   a face was found in {crop['found']} pictures; {crop['cropped_before']} are small enough to be"
            " faces"
        )
        if crop["not_found"]:
            right = crop["not_found_accuracy"]
            read = "" if right is None else f"; as whole pictures {right:.1%} of them are read rightly"
            yield f"apart     no face was found in {crop['not_found']} pictures: no figure above includes them{read}"
    for note in report["notes"]:
        yield f"note      {note}"
    yield (
        "in brackets: 95 % intervals: of recalls Clopper-Pearson, of the ECE (plug-in, 15 bins) without what chance"
        " adds, else bootstrap"
    )


_COUNTS = (("parameters", "parameters"), ("multiply_adds", "multiply-adds"))


def _span(interval: list[float], form: str) -> str:
    return " to ".join(format(end, form) for end in interval)
