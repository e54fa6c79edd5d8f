import contextlib
import importlib.util
import struct
import sys
import tracemalloc
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.flatbuffer import TensorFacts, signature
from cuelens_models.bundle.interpreter import Interpreter


def _small_models() -> ModuleType:
    file = Path(__file__).resolve().parents[3] / "benchmarks" / "fuzzing" / "flatbuffers.py"
    spec = importlib.util.spec_from_file_location("flatbuffers_of_fuzzing", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


FLATBUFFERS = _small_models()


def test_the_signature_is_what_the_runtime_says_of_the_shipped_model(shipped: Bundle) -> None:
    runtime = Interpreter(shipped)._interpreter  # noqa: SLF001 - the runtime's own view is what is compared with
    views = runtime.get_input_details(), runtime.get_output_details()
    for tensors, (detail,) in zip(signature(shipped.model), views, strict=True):
        scale, zero_point = detail["quantization"]
        assert tensors == [
            TensorFacts(tuple(int(side) for side in detail["shape"]), detail["dtype"].__name__, scale, zero_point)
        ]


@pytest.mark.parametrize(("code", "dtype"), [(0, "float32"), (3, "uint8"), (7, "int16"), (9, "int8"), (2, "type 2")])
def test_a_type_is_that_of_the_schema_of_tflite(code: int, dtype: str) -> None:
    int8, coded = struct.pack("<i", 9), struct.pack("<i", code)
    (given,), (answer,) = signature(FLATBUFFERS.model().replace(int8, coded))
    assert (given, answer) == (TensorFacts((1, 16, 16, 1), dtype, 0.5, -3), TensorFacts((1, 2), dtype, 0.25, 4))


@pytest.mark.parametrize("quantised", [False, True])
def test_what_a_tensor_leaves_out_is_the_default_of_the_schema(
    monkeypatch: pytest.MonkeyPatch, *, quantised: bool
) -> None:
    table, numbers = FLATBUFFERS._table, FLATBUFFERS._numbers  # noqa: SLF001 - a model that nobody else needs

    def plain(shape: tuple[int, ...], *_: float) -> object:
        # A converter writes a table of quantisation without numbers, and no type for float32.
        return table([numbers("i", *shape), b"", b"", b"", *([table([b""])] if quantised else [])])

    monkeypatch.setattr(FLATBUFFERS, "_tensor", plain)
    (given,), (answer,) = signature(FLATBUFFERS.model())
    assert (given, answer) == (TensorFacts((1, 16, 16, 1), "float32", 0.0, 0), TensorFacts((1, 2), "float32", 0.0, 0))


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0\0\0\0TFL", b"PK\3\4TFL3", bytes(40), b"\0\0\0\0TFL3" + bytes(40)])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="TFLite"):
        signature(data)


def test_no_length_makes_it_read_millions() -> None:
    # One of these places after the other is the length of the subgraphs, tensors, inputs, outputs, sides and scales.
    small = FLATBUFFERS.model()
    refused = 0
    for place in range(0, len(small), 4):
        content = small[:place] + struct.pack("<I", 3_900_000) + small[place + 4 :] + bytes(16_000_000)
        tracemalloc.start()
        with contextlib.suppress(ValueError):
            signature(content)
            refused -= 1
        refused += 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 20_000_000
    assert refused > 30


def test_a_model_cut_anywhere_is_refused_or_read_as_it_was(shipped: Bundle) -> None:
    whole = signature(shipped.model)
    random = np.random.default_rng(0)
    refused = 0
    for length in [*range(300), *random.integers(300, len(shipped.model), 700).tolist()]:
        try:
            # What the signature needs can lie wholly before the cut.
            assert signature(shipped.model[:length]) == whole
        except ValueError:
            refused += 1
    assert refused > 900


def test_flipped_bytes_never_raise_anything_but_value_error(shipped: Bundle) -> None:
    random = np.random.default_rng(1)
    refused = 0
    # The tables stand at both ends of the file, the weights between them.
    places = np.concatenate([np.arange(0, 2000), np.arange(len(shipped.model) - 12000, len(shipped.model))])
    for _ in range(1500):
        content = np.frombuffer(shipped.model, np.uint8).copy()
        positions = random.choice(places, random.integers(1, 40))
        content[positions] = random.integers(0, 256, len(positions), dtype=np.uint8)
        try:
            signature(content.tobytes())
        except ValueError:
            refused += 1
    assert refused > 50
