"""The findings of an audit, and the CSV file that lists them."""

import csv
import io
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from cuelens_models.atomic_file import write_whole
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import names_of
from cuelens_models.data.tables import columns, open_table
from cuelens_models.errors import BadInput

COLUMNS: Final = ("face", "reason", "labelled", "rather", "score", "index")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one face. index: of the face in the set. score: larger is worse; its scale depends on the reason.

    labelled: the label by people. rather: the label that fits better, or the face of which this is a duplicate.
    """

    index: int
    reason: str
    labelled: str
    rather: str
    score: float


def write_csv(path: Path, findings: list[Finding], faces: Faces) -> Path | None:
    """Write one line for each finding. Training leaves these faces out; delete the lines of faces to keep.

    An earlier file that says something else was perhaps edited. It is kept as NAME-1.csv, NAME-2.csv, ... Returns that
    path; None if there is no such file.

    Args:
        path: of the CSV file.
        findings: of `audit`.
        faces: the set that the findings index.
    """
    names = names_of(faces)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in findings:
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
    content = text.getvalue().encode()
    kept = None
    if path.is_file() and path.read_bytes() != content:
        others = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
        kept = next(other for other in others if not os.path.lexists(other))
        path.replace(kept)
    write_whole(path, content)
    return kept


def read_names(path: Path) -> frozenset[str]:
    """Return the names of the faces in a file that `write_csv` wrote, or a spreadsheet since then.

    Raises BadInput if it is no such file.
    """
    try:
        with open_table(path) as rows:
            _, header = next(rows, (0, []))
            place = columns(header).get(COLUMNS[0])
            if place is None:
                raise BadInput(f"{path} has no column {COLUMNS[0]!r}: it is not what audit-data writes")
            return frozenset(row[place] for _, row in rows if place < len(row))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is no CSV: {error}") from error
