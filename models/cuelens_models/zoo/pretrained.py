"""Trained weights from elsewhere, for a teacher to begin from: a weights manifest of TensorFlow.js and its files.

The manifest gives each array's name and shape and, where its numbers are stored as bytes, their scale and least value.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models import regular_file
from cuelens_models.errors import BadInput

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights by name. sha256: of the manifest and all its files."""

    path: Path
    arrays: Arrays
    sha256: str


def read(path: Path) -> Pretrained:
    """Read a weights manifest and the files beside it that it names. Raises BadInput."""
    arrays: dict[str, NDArray[np.float32]] = {}
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        manifest = path.read_bytes()
        digest = hashlib.sha256(manifest)
        for group in json.loads(manifest):
            content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            digest.update(content)
            at = 0
            for entry in group["weights"]:
                arrays[entry["name"]], at = _array(entry, content, at)
            if at != len(content):
                raise ValueError(f"{len(content) - at} bytes too many")
    except OSError as error:
        raise BadInput(f"weights {error.filename} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is no weights manifest of TensorFlow.js, or a file beside it is damaged") from error
    return Pretrained(path, arrays, digest.hexdigest())


def _array(entry: Mapping[str, Any], content: bytes, at: int) -> tuple[NDArray[np.float32], int]:
    """Return the array of an entry, and where its bytes end. at: where they begin in the content."""
    shape, stored = entry["shape"], entry.get("quantization")
    kind = np.dtype(np.uint8 if stored else np.float32).newbyteorder("<")
    if entry["dtype"] != "float32" or (stored and stored["dtype"] != "uint8"):
        raise ValueError(f"{entry['name']} is stored neither as floats nor as bytes")
    values = np.frombuffer(content, kind, math.prod(shape), at).astype(np.float32)
    if stored:
        values = values * np.float32(stored["scale"]) + np.float32(stored["min"])
    return values.reshape(shape), at + math.prod(shape) * kind.itemsize
