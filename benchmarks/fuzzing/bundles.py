"""Bundles: whole files, contracts in a sound file, and models under a sound contract."""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from benchmarks.fuzzing import flatbuffers
from benchmarks.fuzzing.target import Target

from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Contract

_FILE, _CONTRACT, _MODEL, _SQUEEZED = range(4)


def _contract(model: bytes) -> bytes:
    """Return the contract of a small model."""
    whole = msgspec.to_builtins(file.load(file.SHIPPED).contract)
    small = {"height": flatbuffers.SIDE, "width": flatbuffers.SIDE, "channels": 1, "dtype": "int8"}
    whole["input"] |= small | {"scale": 0.5, "zero_point": -3}
    whole["output"] |= {"dtype": "int8", "scale": 0.25, "zero_point": 4}
    whole["labels"] = list(flatbuffers.LABELS)
    whole["probabilities"] |= {"enter": {"neutral": 0.5, "happy": 0.5}, "usual": {}, "least": {}}
    whole |= {"model_bytes": len(model), "model_sha256": hashlib.sha256(model).hexdigest()}
    return json.dumps(whole).encode()


_SMALL = flatbuffers.model()
_SOUND = _contract(_SMALL)


def _packed(model: bytes, contract: bytes, form: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    target.write(model)
    with zipfile.ZipFile(target, "w", form) as archive:
        archive.writestr("labels.txt", "".join(f"{label}\n" for label in flatbuffers.LABELS))
        archive.writestr("contract.json", contract)
    return target.getvalue()


def small(version: str = "1") -> bytes:
    """Return a bundle of a few kilobytes, of any version."""
    return _packed(_SMALL, json.dumps(json.loads(_SOUND) | {"version": version}).encode())


def _made(content: bytes) -> bytes:
    """Return the file that an input stands for. Its first byte says which part it is."""
    part, rest = content[:1], content[1:]
    match part[0] % 4 if part else _FILE:
        case 1:
            return _packed(_SMALL, rest)
        case 2:
            # Else every changed model would end at its checksum.
            sound: dict[str, object] = json.loads(_SOUND)
            sound |= {"model_bytes": len(rest), "model_sha256": hashlib.sha256(rest).hexdigest()}
            return _packed(rest, json.dumps(sound).encode())
        case 3:
            return _packed(_SMALL, rest, zipfile.ZIP_DEFLATED)
    return rest


def _read(content: bytes, folder: Path) -> None:
    path = folder / "bundle.tflite"
    path.write_bytes(_made(content))
    file.load(path)


def _seeds() -> Sequence[bytes]:
    whole = _packed(_SMALL, _SOUND)
    return [
        bytes([_FILE]) + whole,
        bytes([_FILE]) + whole[:-30],
        bytes([_CONTRACT]) + _SOUND,
        bytes([_MODEL]) + _SMALL,
        bytes([_SQUEEZED]) + _SOUND,
        bytes([_SQUEEZED]) + b" " * 4000,
    ]


_KEYS = tuple(Contract.__struct_fields__)
TARGET = Target("bundle", _read, _seeds, (*_KEYS, "PK\\x01\\x02", "PK\\x03\\x04", "PK\\x05\\x06", "TFL3"))
