import contextlib
import hashlib
import io
import random
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuelens_models.bundle import file, flatbuffer
from cuelens_models.bundle.file import SHIPPED, Bundle
from cuelens_models.errors import BadBundle

WHOLE = SHIPPED.read_bytes()
MODEL_BYTES = file.load(SHIPPED).contract.model_bytes


def refusal(path: Path) -> str:
    """Return the sentence with which `path` is refused; fail if it is not, or with another exception."""
    with pytest.raises(BadBundle) as refused:
        file.load(path)
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_a_bundle_packed_again_is_the_same_bytes(shipped: Bundle) -> None:
    assert file.pack(shipped.model, shipped.contract) == WHOLE


def test_what_was_packed_is_what_is_loaded(shipped: Bundle, tmp_path: Path) -> None:
    contract = msgspec.structs.replace(shipped.contract, name="mine", version="9")
    path = tmp_path / "mine.tflite"
    path.write_bytes(file.pack(shipped.model, contract))
    assert file.load(path) == Bundle(shipped.model, contract, path)


def test_unzip_sees_labels_and_contract_stored_and_dated_1980(shipped: Bundle) -> None:
    with zipfile.ZipFile(SHIPPED) as archive:
        entries = archive.infolist()
        assert [entry.filename for entry in entries] == ["labels.txt", "contract.json"]
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        assert archive.read("labels.txt").decode().splitlines() == shipped.contract.labels


def test_nothing_follows_the_zip() -> None:
    assert struct.unpack_from("<4s16xH", WHOLE, len(WHOLE) - 22) == (b"PK\5\6", 0)


def test_a_contract_for_another_model_is_not_packed(shipped: Bundle) -> None:
    with pytest.raises(BadBundle, match="checksum"):
        file.pack(shipped.model, msgspec.structs.replace(shipped.contract, model_sha256="0" * 64))


def relabel(contract: dict[str, Any], labels: list[str]) -> None:
    contract["labels"] = labels
    contract["probabilities"] |= {"enter": dict.fromkeys(labels, 0.5), "usual": {}}


EIGHT = ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda c: c.update(schema=2), "schema 2", id="another schema"),
        pytest.param(lambda c: (c.clear(), c.update(schema=7)), "schema 7", id="a schema with other fields"),
        pytest.param(lambda c: c.pop("schema"), "schema", id="no schema"),
        pytest.param(lambda c: relabel(c, EIGHT), "output", id="fewer labels than outputs"),
        pytest.param(lambda c: relabel(c, [*EIGHT, "contempt"]), "output", id="a label fewer than outputs"),
        pytest.param(lambda c: relabel(c, [*EIGHT, "happiness"]), "synonym", id="a synonym"),
        pytest.param(lambda c: relabel(c, [*EIGHT, "bored"]), "no expression", id="an unknown label"),
        pytest.param(lambda c: relabel(c, [*EIGHT, "happy"]), "distinct", id="a label twice"),
        pytest.param(lambda c: c["input"].update(height=64), "input", id="input height"),
        pytest.param(lambda c: c["input"].update(channels=3), "input", id="input channels"),
        pytest.param(lambda c: c["input"].update(dtype="uint8"), "input", id="input type"),
        pytest.param(lambda c: c["input"].update(scale=0.0039), "input", id="input scale"),
        pytest.param(lambda c: c["input"].update(zero_point=0), "input", id="input zero point"),
        pytest.param(lambda c: c["output"].update(dtype="float32"), "output", id="output type"),
        pytest.param(lambda c: c["output"].update(scale=0.0), "output", id="output scale"),
        pytest.param(lambda c: c["output"].update(zero_point=3), "output", id="output zero point"),
        pytest.param(lambda c: c.update(model_bytes=c["model_bytes"] - 1), "bytes long", id="one byte short"),
        pytest.param(lambda c: c.update(model_bytes=c["model_bytes"] + 1), "bytes long", id="one byte long"),
        pytest.param(lambda c: c.update(model_bytes=10**9), "bytes long", id="far too long"),
        pytest.param(lambda c: c.update(model_sha256="0" * 64), "checksum", id="another checksum"),
        pytest.param(lambda c: c["probabilities"]["enter"].pop("sad"), "thresholds", id="a threshold missing"),
        pytest.param(lambda c: c["probabilities"]["enter"].update(joy=0.5), "thresholds", id="a threshold too many"),
        pytest.param(lambda c: c["probabilities"]["enter"].update(sad=1.5), "contract.json", id="a threshold over 1"),
        pytest.param(lambda c: c["probabilities"]["usual"].update(joy=-5.0), "usual", id="usual of a label it has not"),
        pytest.param(lambda c: c["probabilities"].update(least={"joy": 0.5}), "least", id="least of no label"),
        pytest.param(lambda c: c.update(colour="red"), "colour", id="an unknown field"),
        pytest.param(lambda c: c.pop("golden"), "golden", id="a missing field"),
    ],
)
def test_a_contract_that_is_not_the_models_is_refused(
    rewrite: Callable[..., Path], change: Callable[[dict[str, Any]], object], words: str
) -> None:
    assert words in refusal(rewrite(change))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"labels.txt": b"happy\nneutral\n"}, "disagree"),
        ({"labels.txt": b""}, "disagree"),
        ({"labels.txt": b"\xff\xfe"}, "contract"),
        ({"labels.txt": None}, "labels.txt"),
        ({"contract.json": None}, "contract.json"),
        ({"contract.json": b""}, "contract.json"),
        ({"contract.json": b"[1, 2]"}, "contract.json"),
        ({"contract.json": b'{"schema": 1, "name": "\xff"}'}, "contract"),
        ({"contract.json": b"[" * 100_000}, "contract.json"),
    ],
)
def test_a_zip_without_labels_and_contract_as_they_should_be_is_refused(
    rewrite: Callable[..., Path], entries: dict[str, bytes | None], words: str
) -> None:
    assert words in refusal(rewrite(entries=entries))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\0", "no TFLite file", id="one byte"),
        pytest.param(b"%PDF-1.7 something else entirely", "no TFLite file", id="foreign"),
        pytest.param(WHOLE[:MODEL_BYTES], "no readable contract", id="a model without a zip"),
        pytest.param(b"\0\0\0\0TFL3" + WHOLE[MODEL_BYTES:], "long", id="a zip without its model"),
        pytest.param(WHOLE + b"x", "", id="a byte after the zip"),
        pytest.param(WHOLE + bytes(4096), "", id="zeros after the zip"),
        pytest.param(WHOLE + WHOLE, "", id="two bundles in one"),
        pytest.param(WHOLE[:-2] + b"\5\0hello", "", id="a comment in the zip"),
    ],
)
def test_a_file_that_is_no_whole_bundle_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.tflite")
    assert "directory" in refusal(tmp_path)


def test_a_bundle_cut_anywhere_is_refused(tmp_path: Path) -> None:
    chance = random.Random(0)  # noqa: S311
    path = tmp_path / "cut.tflite"
    cuts = [1, 4, 7, 8, 9, MODEL_BYTES, MODEL_BYTES + 1, *range(len(WHOLE) - 30, len(WHOLE))]
    for length in cuts + chance.sample(range(len(WHOLE)), 150):
        path.write_bytes(WHOLE[:length])
        refusal(path)


def test_a_flipped_byte_in_the_model_is_refused(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311
    path = tmp_path / "flipped.tflite"
    for place in [0, 8, MODEL_BYTES - 1, *chance.sample(range(MODEL_BYTES), 60)]:
        content = bytearray(WHOLE)
        content[place] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        refusal(path)


def test_a_flipped_byte_in_the_zip_is_refused_or_changes_nothing_that_is_read(shipped: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "flipped.tflite"
    chance = random.Random(2)  # noqa: S311
    # Every byte of the headers, where damage can send zipfile astray, and a sample of what they hold.
    headers = [*range(MODEL_BYTES, MODEL_BYTES + 200), *range(len(WHOLE) - 160, len(WHOLE))]
    for place in headers + chance.sample(range(MODEL_BYTES, len(WHOLE)), 200):
        for bit in (0, 3, 7):
            content = bytearray(WHOLE)
            content[place] ^= 1 << bit
            path.write_bytes(content)
            with contextlib.suppress(BadBundle):
                assert file.load(path).contract == shipped.contract


@pytest.mark.parametrize("form", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_would_unpack_to_more_than_its_file_is_refused(shipped: Bundle, tmp_path: Path, form: int) -> None:
    path = tmp_path / "squeezed.tflite"
    path.write_bytes(shipped.model)
    with zipfile.ZipFile(path, "a", form) as archive:
        archive.writestr("contract.json", b" " * 200_000_000)
        archive.writestr("labels.txt", "happy")
    tracemalloc.start()
    assert "compressed" in refusal(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_zip_whose_entries_share_their_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shared.tflite"
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, zlib.crc32(bytes(5000)), 5000, 5000, 1, 0)
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, zlib.crc32(bytes(5000)), 5000, 5000, 1, 0, 0, 0, 0, 0, 8
    )
    entries = [entry + bytes([65 + number]) for number in range(20)]
    local = b"\0\0\0\0TFL3" + head + b"A" + bytes(5000)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 20, 20, sum(map(len, entries)), len(local), 0)
    path.write_bytes(local + b"".join(entries) + end)
    assert "lie over each other" in refusal(path)


def test_a_model_of_two_outputs_is_refused(shipped: Bundle) -> None:
    inputs, outputs = flatbuffer.signature(shipped.model)
    with pytest.raises(BadBundle, match="1 inputs and 2 outputs"):
        file.check_tensors(inputs, outputs * 2, shipped.contract)


def test_a_model_that_is_no_flatbuffer_is_refused_though_its_checksum_is_right(
    shipped: Bundle, tmp_path: Path, rewrite: Callable[..., Path]
) -> None:
    noise = b"\xff\xff\xff\x7fTFL3" + bytes(56)
    digest = hashlib.sha256(noise).hexdigest()
    whole = rewrite(lambda contract: contract.update(model_bytes=len(noise), model_sha256=digest)).read_bytes()
    path = tmp_path / "noise.tflite"
    path.write_bytes(noise)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(path, "a") as target:
        for name in archive.namelist():
            target.writestr(name, archive.read(name))
    assert "convert" in refusal(path)
