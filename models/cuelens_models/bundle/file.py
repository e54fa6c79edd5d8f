"""Reading and writing a bundle: a TFLite model with a zip of its contract appended.

The zip makes the contract visible to `unzip -l`; every TFLite runtime ignores what follows the flatbuffer.
Entries are stored, in fixed order, dated 1980-01-01, so the same content gives the same bytes. A file is
checked whole before a runtime sees it, because a truncated model can crash the process that loads it.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from cuelens_models.bundle import flatbuffer
from cuelens_models.bundle.contract import SCHEMA, Contract
from cuelens_models.bundle.expressions import check_labels
from cuelens_models.bundle.flatbuffer import TensorFacts
from cuelens_models.errors import BadBundle, BadInput

SHIPPED: Final = Path(__file__).parent.parent / "shipped" / "cuelens.tflite"
_CONTRACT: Final = "contract.json"
_LABELS: Final = "labels.txt"
_REMEDY: Final = "make it again with convert-model"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle. model: the flatbuffer alone, without the zip."""

    model: bytes
    contract: Contract
    path: Path


def load(path: Path) -> Bundle:
    """Read and check a bundle. Raises BadBundle with a sentence that says what to do."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadBundle(f"bundle {path} cannot be read: {error.strerror}") from error
    try:
        return _read(data, path)
    except BadInput as error:
        raise BadBundle(f"bundle {path} is refused: {error}") from error


def pack(model: bytes, contract: Contract) -> bytes:
    """Return the bytes of a bundle. The contract's length and checksum must be the model's."""
    target = io.BytesIO()
    target.write(model)
    # Appending to a file that is no zip makes zipfile count offsets from the file's start, as unzip expects.
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as archive:
        text = msgspec.json.format(msgspec.json.encode(contract), indent=2)
        archive.writestr(_entry(_LABELS), "".join(f"{label}\n" for label in contract.labels))
        archive.writestr(_entry(_CONTRACT), text + b"\n")
    packed = target.getvalue()
    _read(packed, Path("the bundle being written"))
    return packed


def check_tensors(inputs: list[TensorFacts], outputs: list[TensorFacts], contract: Contract) -> None:
    """Raise BadBundle unless the contract describes exactly these tensors."""
    if len(inputs) != 1 or len(outputs) != 1:
        raise BadBundle(f"the model has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
    said = contract.input
    _check_tensor(
        "input", inputs[0], (1, said.height, said.width, said.channels), said.dtype, said.scale, said.zero_point
    )
    answer = contract.output
    _check_tensor("output", outputs[0], (1, len(contract.labels)), answer.dtype, answer.scale, answer.zero_point)


def _check_tensor(
    side: str, found: TensorFacts, shape: tuple[int, ...], dtype: str, scale: float, zero_point: int
) -> None:
    promised = TensorFacts(shape, dtype, float(np.float32(scale)), zero_point)
    if found != promised:
        raise BadBundle(f"its contract promises the {side} {promised}, the model has {found}: {_REMEDY}")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry


def _read(data: bytes, path: Path) -> Bundle:
    if data[4:8] != flatbuffer.IDENTIFIER:
        raise BadBundle("it is no TFLite file" if data else "it is empty")
    text, labels, start = _unzip(data)
    contract = _decode(text)
    model = data[: contract.model_bytes]
    if start != contract.model_bytes:
        raise BadBundle(f"its model is not {contract.model_bytes} bytes long: copy the file again or {_REMEDY}")
    if hashlib.sha256(model).hexdigest() != contract.model_sha256:
        raise BadBundle(f"its model's checksum is wrong: copy the file again or {_REMEDY}")
    if labels.split() != contract.labels:
        raise BadBundle(f"labels.txt and contract.json disagree: {_REMEDY}")
    try:
        inputs, outputs = flatbuffer.signature(model)
    except ValueError as error:
        raise BadBundle(f"{error}: {_REMEDY}") from error
    check_tensors(inputs, outputs, contract)
    return Bundle(model, contract, path)


def _unzip(data: bytes) -> tuple[bytes, str, int]:
    """Return contract.json, labels.txt and where the zip begins."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # zipfile looks past what follows the end record; here nothing may.
            if data[-22:-18] != b"PK\5\6" or archive.comment or archive.testzip() is not None:
                raise BadBundle("it is damaged: copy it again")
            for name in (_CONTRACT, _LABELS):
                if name not in archive.namelist():
                    raise BadBundle(f"its zip lacks {name}: {_REMEDY}")
            start = min(entry.header_offset for entry in archive.infolist())
            return archive.read(_CONTRACT), archive.read(_LABELS).decode(), start
    except BadBundle:
        raise
    except Exception as error:
        # zipfile raises whatever a flipped bit leads it to: NotImplementedError, EOFError, zlib.error, ...
        raise BadBundle(
            "it carries no readable contract: it was cut short, or convert-model did not write it"
        ) from error


def _decode(text: bytes) -> Contract:
    try:
        schema = msgspec.json.decode(text, type=_Schema).schema
        if schema != SCHEMA:
            raise BadBundle(f"its contract has schema {schema}, this cuelens reads schema {SCHEMA}: {_REMEDY}")
        contract = msgspec.json.decode(text, type=Contract)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadBundle(f"contract.json: {error}") from error
    check_labels(contract.labels)
    if set(contract.probabilities.enter) != set(contract.labels):
        raise BadBundle(f"its thresholds are not for its labels: {_REMEDY}")
    return contract


class _Schema(msgspec.Struct):
    schema: int
