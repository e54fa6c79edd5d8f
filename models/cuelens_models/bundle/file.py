"""Reading and writing a bundle: a TFLite model with a zip of its contract appended.

`unzip -l` lists the contract; every TFLite runtime ignores what follows the flatbuffer. Entries are stored
uncompressed, in fixed order, dated 1980-01-01, so the same content gives the same bytes. The whole file is
checked before a runtime loads it, because a truncated model can crash the process.
"""

import io
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from cuelens_models import regular_file, sha256
from cuelens_models.bundle import flatbuffer
from cuelens_models.bundle.contract import Contract, Input, Output
from cuelens_models.bundle.contract import read as read_contract
from cuelens_models.bundle.expressions import check_labels
from cuelens_models.bundle.flatbuffer import TensorFacts
from cuelens_models.errors import BadBundle, BadInput

SHIPPED: Final = Path(__file__).parent.parent / "shipped" / "cuelens.tflite"
_CONTRACT: Final = "contract.json"
_LABELS: Final = "labels.txt"
_REMEDY: Final = "make it again with convert-model"


_MOST_BYTES: Final = 256_000_000
"""Largest bundle, many times the largest network that a board runs."""


class Bundle(msgspec.Struct, frozen=True):
    """A bundle that passed all checks. model: the flatbuffer alone, without the zip."""

    model: bytes
    contract: Contract
    path: Path


def load(path: Path) -> Bundle:
    """Read and check a bundle. Raises BadBundle if the file cannot be read or fails a check."""
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadBundle(f"bundle {path} {fault}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadBundle(f"bundle {path} cannot be read: {error.strerror}") from error
    try:
        return _read(data, path)
    except BadInput as error:
        raise BadBundle(f"bundle {path} is refused: {error}") from error


def pack(model: bytes, contract: Contract) -> bytes:
    """Return the bytes of a bundle. Raises BadBundle if the contract does not describe `model`."""
    target = io.BytesIO()
    target.write(model)
    # In append mode zipfile counts offsets from the start of the file, as unzip expects.
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
    shape = (1, contract.input.height, contract.input.width, contract.input.channels)
    _check_tensor("input", inputs[0], contract.input, shape)
    _check_tensor("output", outputs[0], contract.output, (1, len(contract.labels)))


def _check_tensor(side: str, actual: TensorFacts, declared: Input | Output, shape: tuple[int, ...]) -> None:
    expected = TensorFacts(shape, declared.dtype, float(np.float32(declared.scale)), declared.zero_point)
    if actual != expected:
        raise BadBundle(f"its contract promises the {side} {expected}, the model has {actual}: {_REMEDY}")


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
    if sha256.digest(model) != contract.model_sha256:
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
    """Return contract.json, labels.txt and the offset of the zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # zipfile accepts bytes after the end record; a bundle must have none.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                # A few packed bytes may unpack to more than the memory of a board.
                raise BadBundle(f"its zip is compressed: {_REMEDY}")
            if sum(entry.file_size for entry in archive.infolist()) > len(data):
                raise BadBundle(f"the entries of its zip lie over each other: {_REMEDY}")
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
        # A flipped bit can make zipfile raise almost anything: NotImplementedError, EOFError, zlib.error, ...
        raise BadBundle(
            "it carries no readable contract: it was cut short, or convert-model did not write it"
        ) from error


def _decode(text: bytes) -> Contract:
    try:
        contract = read_contract(text)
    except BadInput as error:
        raise BadBundle(f"{error}: {_REMEDY}") from error
    check_labels(contract.labels)
    if set(contract.probabilities.enter) != set(contract.labels):
        raise BadBundle(f"its thresholds are not for its labels: {_REMEDY}")
    if not {*contract.probabilities.usual, *contract.probabilities.least} <= set(contract.labels):
        raise BadBundle(f"what is usual, or the least, is not for its labels: {_REMEDY}")
    return contract
