"""What an audit found, and the file that says so."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens_models.atomic_file import write_whole
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import names_of
from cuelens_models.errors import BadInput

COLUMNS: Final = ("face", "reason", "labelled", "rather", "score", "index")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong. index: of the face among those that were studied. score: how wrong; larger is worse, by reason.

    labelled: what people said. rather: what it is instead, a label or the face that it repeats.
    """

    index: int
    reason: str
    labelled: str
    rather: str
    score: float


def write_csv(path: Path, found: list[Finding], faces: Faces) -> None:
    """Write the findings: a line each, which a person may delete, and which training leaves out otherwise."""
    names = names_of(faces)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in found:
        rows.writerow(
            [
                names[finding.index],
                finding.reason,
                finding.labelled,
                finding.rather,
                f"{finding.score:.3f}",
                finding.index,
            ]
        )
    write_whole(path, text.getvalue().encode())


def read_names(path: Path) -> frozenset[str]:
    """Return the names of the faces in such a file. Raises BadInput if it is none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or COLUMNS[0] not in rows.fieldnames:
                raise BadInput(f"{path} has no column {COLUMNS[0]!r}: it is not what audit-data writes")
            return frozenset(row[COLUMNS[0]] for row in rows)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is no CSV: {error}") from error
