"""Readers with a fault each, to see that it is found. They are not among the targets unless they are named."""

import os
import time
from pathlib import Path

from benchmarks.fuzzing.target import Target

_LONG_S = 3.0


def _errs(content: bytes, folder: Path) -> None:
    int(content)


def _warns(content: bytes, folder: Path) -> None:
    if b"!" in content:
        import warnings

        warnings.warn("this was divided by nothing", RuntimeWarning, stacklevel=1)


def _dawdles(content: bytes, folder: Path) -> None:
    end_s = time.process_time() + _LONG_S
    while time.process_time() < end_s:
        pass


def _devours(content: bytes, folder: Path) -> None:
    assert len(bytes(2**30)) > len(content)


def _crashes(content: bytes, folder: Path) -> None:
    os.abort()


_FAULTS = {"errs": _errs, "warns": _warns, "dawdles": _dawdles, "devours": _devours, "crashes": _crashes}
TARGETS = tuple(Target(f"faulty-{name}", read, lambda: [b"number=12!"]) for name, read in _FAULTS.items())
