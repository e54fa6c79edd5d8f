"""A contact sheet of what an audit found: the faces themselves, so it is for the eyes of whoever may see the data."""

import io
import math
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.figure import Figure

from cuelens_models.atomic_file import write_whole
from cuelens_models.audit.findings import Finding
from cuelens_models.data.faces import Faces

_ACROSS: Final = 10
_SHOWN: Final = 60


def write_sheets(folder: Path, found: list[Finding], faces: Faces) -> list[Path]:
    """Write a PNG for each reason, with its worst sixty faces, and return where they are."""
    written = []
    for reason in dict.fromkeys(finding.reason for finding in found):
        worst = [finding for finding in found if finding.reason == reason]
        path = folder / f"{reason.replace(' ', '-')}.png"
        write_whole(path, _sheet(reason, worst, faces))
        written.append(path)
    return written


def _sheet(reason: str, found: list[Finding], faces: Faces) -> bytes:
    shown = found[:_SHOWN]
    down = math.ceil(len(shown) / _ACROSS)
    with matplotlib.rc_context({"font.size": 7}):
        figure = Figure(figsize=(_ACROSS * 1.1, down * 1.5 + 0.5), layout="constrained")
        figure.suptitle(f"{reason}: {len(found)}, the worst {len(shown)}", fontsize=10)
        for place, axes in enumerate(figure.subplots(down, _ACROSS, squeeze=False).ravel()):
            axes.axis("off")
            if place < len(shown):
                finding = shown[place]
                axes.imshow(faces.pixels[finding.index], cmap="gray", vmin=0, vmax=255)
                becomes = f"\n{finding.rather}" if finding.rather else ""
                axes.set_title(f"{finding.index} {finding.labelled}{becomes}", pad=2)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()
