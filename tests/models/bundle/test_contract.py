import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cuelens_models.bundle import contract
from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.errors import BadInput


def with_value(whole: Contract, place: str, value: object) -> dict[str, Any]:
    """Return the contract as plain data with one value replaced, `place` being keys joined by dots."""
    plain: dict[str, Any] = msgspec.to_builtins(whole)
    *parents, last = place.split(".")
    inner = plain
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return plain


def test_a_contract_survives_json(shipped: Bundle) -> None:
    assert msgspec.json.decode(msgspec.json.encode(shipped.contract), type=Contract) == shipped.contract


@pytest.mark.parametrize(
    "place",
    [
        "extra",
        "input.extra",
        "input.crop.extra",
        "output.extra",
        "probabilities.extra",
        "parity.extra",
        "golden.extra",
    ],
)
def test_an_unknown_field_is_refused_wherever_it_stands(shipped: Bundle, place: str) -> None:
    if place == "golden.extra":
        plain = msgspec.to_builtins(shipped.contract)
        plain["golden"][0]["extra"] = 1
    else:
        plain = with_value(shipped.contract, place, 1)
    with pytest.raises(msgspec.ValidationError, match="unknown field `extra`"):
        msgspec.convert(plain, Contract)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("input.height", 15),
        ("input.width", 513),
        ("input.channels", 2),
        ("input.dtype", "float16"),
        ("input.scale", -0.1),
        ("input.per_image", 1),
        ("input.crop.scale", 0.2),
        ("input.crop.scale", 4.1),
        ("input.crop.shift_y", 1.1),
        ("output.kind", "softmax"),
        ("output.zero_point", 0.5),
        ("probabilities.temperature", 0.0),
        ("probabilities.enter.happy", 1.01),
        ("probabilities.enter.happy", 60),
        ("conversion.scheme", "int4"),
        ("conversion.representative_images", -1),
        ("parity.agreement", 98.9),
        ("parity.worst_class_drop", 1.2),
        ("metrics.accuracy", 85.3),
        ("model_bytes", -1),
        ("labels", "happy"),
        ("name", None),
    ],
)
def test_a_value_outside_its_range_is_refused_by_name(shipped: Bundle, place: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{place.split('.', maxsplit=1)[0]}"):
        msgspec.convert(with_value(shipped.contract, place, value), Contract)


FRACTIONS = ("float_accuracy", "converted_accuracy", "agreement"), ("accuracy", "macro_f1", "ece")


@pytest.mark.parametrize(
    ("place", "allowed", "refused"),
    [
        ("input.height", (16, 512), (15, 513)),
        ("input.width", (16, 512), (15, 513)),
        ("input.channels", (1, 3), (0, 2, 4)),
        ("input.scale", (0,), (-0.01,)),
        ("input.crop.scale", (0.21, 4), (0.2, 4.01)),
        ("input.crop.shift_y", (-1, 1), (-1.01, 1.01)),
        ("output.scale", (0,), (-0.01,)),
        ("probabilities.temperature", (0.01,), (0,)),
        ("probabilities.enter.happy", (0, 1), (-0.01, 1.01)),
        ("probabilities.least.happy", (0, 1), (-0.01, 1.01)),
        ("conversion.representative_images", (0,), (-1,)),
        ("parity.images", (0,), (-1,)),
        *((f"parity.{name}", (0, 1), (-0.01, 1.01)) for name in FRACTIONS[0]),
        ("parity.worst_class_drop", (-1, 1), (-1.01, 1.01)),
        ("metrics.images", (0,), (-1,)),
        *((f"metrics.{name}", (0, 1), (-0.01, 1.01)) for name in FRACTIONS[1]),
        ("model_bytes", (0,), (-1,)),
    ],
)
def test_a_value_at_the_edge_of_its_range_is_taken_and_none_beyond(
    shipped: Bundle, place: str, allowed: tuple[float, ...], refused: tuple[float, ...]
) -> None:
    for value in allowed:
        result: object = msgspec.convert(with_value(shipped.contract, place, value), Contract)
        for name in place.split("."):
            result = result[name] if isinstance(result, dict) else getattr(result, name)
        assert result == value
    for value in refused:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(with_value(shipped.contract, place, value), Contract)


def test_one_golden_picture_is_enough(shipped: Bundle) -> None:
    plain = msgspec.to_builtins(shipped.contract)
    one = msgspec.convert(with_value(shipped.contract, "golden", plain["golden"][:1]), Contract)
    assert one.golden == shipped.contract.golden[:1]


def test_a_contract_cannot_be_changed(shipped: Bundle) -> None:
    with pytest.raises(AttributeError):
        shipped.contract.labels = []  # type: ignore[misc]


def test_the_title_tells_bundles_apart_by_their_checksum(shipped: Bundle) -> None:
    mine = msgspec.structs.replace(shipped.contract, name="mine", version="2.1", model_sha256="0123456789abcdef")
    assert mine.title() == "mine 2.1 0123456789ab"


def places(plain: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the place of every key, as "input.crop.scale". Where labels are keys, these are no keys of ours."""
    for key, value in plain.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict) and key not in ("enter", "usual", "least"):
            yield from places(value, f"{prefix}{key}.")


def refusal(plain: object) -> str:
    """Return the sentence that refuses a contract; "" if it is taken."""
    try:
        contract.read(msgspec.json.encode(plain))
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize("place", list(places(msgspec.to_builtins(load(SHIPPED).contract))))
def test_every_wrong_value_is_refused_with_its_key_and_what_is_allowed(shipped: Bundle, place: str) -> None:
    sentences = [
        refusal(with_value(shipped.contract, place, value)) for value in (None, True, -7.5, "x", [], [None], {"a": 1})
    ]
    refused = [sentence for sentence in sentences if sentence]
    assert len(refused) >= 4
    for sentence in refused:
        rule = rf'({re.escape(place)}(\[0\])? must be .+|there is no key "a" in {re.escape(place)}: choose from .+)'
        assert re.fullmatch(f"contract.json: {rule}", sentence), sentence
        assert not re.search(r"\b(int|str|float|bool|object|array|field|enum|got)\b|Expected|None|`", sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "contract.json is no JSON"),
        (b'{"schema": 1', "contract.json is no JSON"),
        (b'{"name": "\xff"}', "contract.json is no JSON"),
        (b"[1, 2]", "contract.json: the whole must be a group of keys (schema, name, version, labels, input, output,"),
        (b'{"schema": 2, "new": 5}', "contract.json has schema 2, this cuelens reads schema 1"),
        (b'{"schema": 1}', 'contract.json: the whole lacks the key "name": it must be a text'),
        (b"{}", 'contract.json: the whole lacks the key "schema": it must be a whole number'),
    ],
)
def test_what_is_no_contract_is_refused_in_a_sentence(text: bytes, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        contract.read(text)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("input.height", 15, "input.height must be a whole number from 16 to 512, not 15"),
        ("input.crop.scale", 0.2, "input.crop.scale must be a number above 0.2 and up to 4, not 0.2"),
        ("output.kind", "softmax", 'output.kind must be "logits" or "probabilities", not "softmax"'),
        (
            "probabilities.enter.happy",
            60,
            "probabilities.enter must be a group of keys, each with a number from 0 to 1",
        ),
        ("probabilities.usual.happy", "low", "probabilities.usual must be a group of keys, each with a number"),
        ("input.hight", 48, 'there is no key "hight" in input: did you mean "height"?'),
        (
            "golden",
            [],
            "golden must be a list of at least 1 entries, each a group of keys (formula, logits), not a list",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(shipped: Bundle, place: str, value: object, sentence: str) -> None:
    assert refusal(with_value(shipped.contract, place, value)).startswith(f"contract.json: {sentence}")


def test_a_contract_that_is_read_is_the_one_that_was_written(shipped: Bundle) -> None:
    assert contract.read(msgspec.json.encode(shipped.contract)) == shipped.contract
