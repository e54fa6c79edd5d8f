"""Contact sheets of the findings of an audit. They show the faces, so they are as confidential as the data."""

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


def write_sheets(folder: Path, findings: list[Finding], faces: Faces) -> list[Path]:
    """Write a PNG with the worst sixty faces for each reason, and return their paths.

    Args:
        folder: of the files.
        findings: of `audit`.
        faces: the set that the findings index.
    """
    paths = []
    for reason in dict.fromkeys(finding.reason for finding in findings):
        path = folder / f"{reason.replace(' ', '-')}.png"
        write_whole(path, _sheet(reason, [finding for finding in findings if finding.reason == reason], faces))
        paths.append(path)
    return paths


def _sheet(reason: str, findings: list[Finding], faces: Faces) -> bytes:
    shown = findings[:_SHOWN]
    down = math.ceil(len(shown) / _ACROSS)
    with matplotlib.rc_context({"font.size": 7}):
        figure = Figure(figsize=(_ACROSS * 1.1, down * 1.5 + 0.5), layout="constrained")
        figure.suptitle(f"{reason}: {len(findings)}, the worst {len(shown)}", fontsize=10)
        for place, axes in enumerate(figure.subplots(down, _ACROSS, squeeze=False).ravel()):
            axes.axis("off")
            if place < len(shown):
                finding = shown[place]
                axes.imshow(faces.pixels[finding.index], cmap="gray", vmin=0, vmax=255)
                becomes = f"\n{finding.rather}" if finding.rather else ""
                axes.set_title(f"{finding.index} {finding.labelled}{becomes}", pad=2)
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=110)
    return target.getvalue()
