"""Measure on synthetic heads (docs/heads.md).

    python -m benchmarks.heads stills [--people 100] [--bundle FILE] [--sheet FILE.png]
    python -m benchmarks.heads clips [--people 40] [--bundle FILE] [--sheet FILE.png]
    python -m benchmarks.heads faces --out FILE.npz [--people 300]

stills: pictures of the same people that differ in the tone of their skin alone. Recall, averaged over neutral, happy,
surprise and anger with bared teeth, lightest minus darkest tone.
clips: people who are calm, talk, blink, and show an expression, fifteen frames a second, through the whole pipeline.
The share of expressions told in time, and false cues.
faces: faces of the training split, with votes, for `train-model --besides`.
"""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
from benchmarks.heads import assets, clips, faces, stills
from benchmarks.heads.split import SPLITS, Split

from cuelens.frame import Grey
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.command import finish, parser
from cuelens_models.errors import BadInput

T = TypeVar("T")


def main() -> int:
    arguments = parser("python -m benchmarks.heads", __doc__ or "")
    arguments.add_argument("what", choices=("stills", "clips", "faces"))
    arguments.add_argument(
        "--people", "--identities", type=int, metavar="N", help="stills 100, clips 40, faces 300 if left out"
    )
    arguments.add_argument("--split", choices=SPLITS, default="test", help="whose people; training may use train alone")
    arguments.add_argument("--bundle", type=Path, default=SHIPPED, help="another network than the shipped one")
    arguments.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a picture of the first 12 people")
    arguments.add_argument("--out", type=Path, metavar="FILE.npz", help="where faces are written")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    options = arguments.parse_args()
    if lacks := assets.missing():
        raise BadInput(lacks)
    if options.what == "faces":
        if options.out is None:
            arguments.error("faces needs --out FILE.npz")
        print(f"wrote {faces.write(options.people or 300, options.out, options.jobs)} faces to {options.out}")
    elif options.what == "stills":
        report(options, stills.measure, stills.lines, stills.sheet, options.people or 100)
    else:
        report(options, clips.measure, clips.lines, clips.sheet, options.people or 40)
    return 0


def report(
    options: Namespace,
    measure: Callable[[Split, int, Path, int], list[T]],
    lines: Callable[[Sequence[T]], list[str]],
    sheet: Callable[[Sequence[T]], Grey],
    people: int,
) -> None:
    """Measure, print what was found, and draw the sheet where one is asked for."""
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


if __name__ == "__main__":
    finish("heads", main, debug="--debug" in sys.argv)
