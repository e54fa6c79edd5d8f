"""Measure on synthetic heads (docs/heads.md).

    python -m benchmarks.heads stills [--people 100] [--bundle FILE] [--sheet FILE.png]
    python -m benchmarks.heads clips [--people 40] [--bundle FILE] [--sheet FILE.png]
    python -m benchmarks.heads strengths [--people 24] [--json FILE.json] [--sheet FILE.png]
    python -m benchmarks.heads faces --out FILE.npz [--people 300]
    python -m benchmarks.heads cutouts --out FILE.npz [--people 400]

stills: pictures of the same people that differ in the tone of their skin alone. Recall, averaged over neutral, happy,
surprise and anger with bared teeth, lightest minus darkest tone.
clips: people who are calm, talk, blink, and show an expression, fifteen frames a second, through the whole pipeline.
The share of expressions told in time, and false cues.
strengths: smiles of graded strength, through the whole pipeline. The share that is told.
faces: faces of the training split, with votes, for `train-model --besides`.
cutouts: heads of the training split, for `python -m cuelens_models.commands.candidates`.
"""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
from benchmarks.heads import assets, clips, cutouts, faces, stills, strengths
from benchmarks.heads.split import SPLITS, Split

from cuelens.frame import Grey
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.command import finish, parser, to_json
from cuelens_models.errors import BadInput

T = TypeVar("T")


def main() -> int:
    arguments = parser("python -m benchmarks.heads", __doc__ or "")
    arguments.add_argument("what", choices=("stills", "clips", "strengths", "faces", "cutouts"))
    arguments.add_argument(
        "--people",
        "--identities",
        type=int,
        metavar="N",
        help="100 for stills, 40, 24, 300 for faces and 400 for cutouts if left out",
    )
    arguments.add_argument("--split", choices=SPLITS, default="test", help="whose people; training may use train alone")
    arguments.add_argument("--bundle", type=Path, default=SHIPPED, help="another network than the shipped one")
    arguments.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a picture of the first 12 people")
    arguments.add_argument("--out", type=Path, metavar="FILE.npz", help="where faces or cut-outs are written")
    arguments.add_argument("--json", type=Path, metavar="FILE.json", help="write what was measured of strengths too")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    options = arguments.parse_args()
    if lacks := assets.missing():
        raise BadInput(lacks)
    if options.what in ("faces", "cutouts"):
        if options.out is None:
            arguments.error(f"{options.what} needs --out FILE.npz")
        write, people = (faces.write, 300) if options.what == "faces" else (cutouts.write, 400)
        print(f"wrote {write(options.people or people, options.out, options.jobs)} {options.what} to {options.out}")
    elif options.what == "stills":
        report(options, stills.measure, stills.lines, stills.sheet, options.people or 100)
    elif options.what == "clips":
        report(options, clips.measure, clips.lines, clips.sheet, options.people or 40)
    else:
        found = report(options, strengths.measure, strengths.lines, strengths.sheet, options.people or 24)
        if options.json:
            options.json.write_text(to_json(strengths.figures(found)) + "\n")
    return 0


def report(
    options: Namespace,
    measure: Callable[[Split, int, Path, int], list[T]],
    lines: Callable[[Sequence[T]], list[str]],
    sheet: Callable[[Sequence[T]], Grey],
    people: int,
) -> list[T]:
    """Measure, print what was found, and draw the sheet where one is asked for. Returns what was found."""
    began = time.monotonic()
    results = measure(options.split, people, options.bundle, options.jobs)
    minutes = (time.monotonic() - began) / 60
    whom = f"{people} synthetic people of the {options.split} split, bundle {options.bundle.name}"
    print(f"{options.what}: {whom}, {minutes:.1f} minutes in {options.jobs} processes")
    for line in lines(results):
        print(line)
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(results))
        print(f"wrote {options.sheet}")
    return results


if __name__ == "__main__":
    finish("heads", main, debug="--debug" in sys.argv)
