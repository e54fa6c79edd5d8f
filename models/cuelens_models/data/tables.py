"""Tables as CSV files, as spreadsheets save them: with a byte-order mark or none, separated by commas or semicolons."""

import codecs
import csv
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cuelens_models import regular_file

Row = tuple[int, list[str]]
"""A row: the number of its last line, counted from 1, and its cells without spaces around them."""
_SEPARATORS: Final = ",;\t"


@contextmanager
def open_table(path: Path) -> Iterator[Iterator[Row]]:
    """Yield the rows of a file, blank ones left out.

    Raises OSError, UnicodeDecodeError (a ValueError) or csv.Error, while rows are taken too, if it cannot be read.
    """
    if fault := regular_file.fault(path):
        raise OSError(errno.EINVAL, fault, str(path))
    with path.open("rb") as file:
        start = file.read(2)
    encoding = "utf-16" if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as text:
        first = text.readline(10_000)
        separator = max(_SEPARATORS, key=first.count)
        text.seek(0)
        yield _rows(csv.reader(text, delimiter=separator))


def _rows(reader: "csv._reader") -> Iterator[Row]:  # type: ignore[name-defined]
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield reader.line_num, stripped


def columns(header: list[str]) -> dict[str, int]:
    """Return the place of each column by its name in lower case."""
    return {name.lower(): place for place, name in enumerate(header)}
