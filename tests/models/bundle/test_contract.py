from typing import Any

import msgspec
import pytest

from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.file import Bundle


def with_value(contract: Contract, place: str, value: object) -> dict[str, Any]:
    """Return the contract as plain data with one value replaced, `place` being keys joined by dots."""
    plain: dict[str, Any] = msgspec.to_builtins(contract)
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


@pytest.mark.parametrize(
    ("place", "value"),
    [("input.height", 16), ("input.crop.scale", 4), ("input.crop.shift_y", -1), ("probabilities.enter.happy", 1)],
)
def test_a_value_at_the_edge_of_its_range_is_taken(shipped: Bundle, place: str, value: object) -> None:
    result: object = msgspec.convert(with_value(shipped.contract, place, value), Contract)
    for name in place.split("."):
        result = result[name] if isinstance(result, dict) else getattr(result, name)
    assert result == value


def test_a_contract_cannot_be_changed(shipped: Bundle) -> None:
    with pytest.raises(AttributeError):
        shipped.contract.labels = []  # type: ignore[misc]


def test_the_title_tells_bundles_apart_by_their_checksum(shipped: Bundle) -> None:
    contract = msgspec.structs.replace(shipped.contract, name="mine", version="2.1", model_sha256="0123456789abcdef")
    assert contract.title() == "mine 2.1 0123456789ab"
