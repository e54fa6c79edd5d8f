"""The sentence for a value that does not fit a struct: every kind of rule, from the types alone."""

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from cuelens_models.strict_struct import StrictStruct, excerpt, mistake


class Size(enum.Enum):
    """Sizes of a hat."""

    SMALL = "small"
    LARGE = "large"


class Brim(StrictStruct, frozen=True):
    width_mm: Annotated[int, msgspec.Meta(ge=0, le=90)]
    stiff: bool = True


class Hat(StrictStruct, frozen=True):
    size: Size = Size.SMALL
    fits: Annotated[int, msgspec.Meta(ge=1)] = 1
    price: Annotated[float, msgspec.Meta(gt=0.5, le=4)] = 1.0
    weight_kg: Annotated[float, msgspec.Meta(lt=2)] = 1.0
    any_number: float = 0.0
    colour: Annotated[str, msgspec.Meta(pattern="^#", title="a colour", examples=["#FFF", "#000"])] = "#FFF"
    owner: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=9)] | msgspec.UnsetType = msgspec.UNSET
    note: Annotated[str, msgspec.Meta(max_length=9)] = ""
    worn: Literal["never", "often"] | bool = "never"
    year: Literal[2024] = 2024
    bands: Annotated[tuple[Literal["red", "blue"], ...], msgspec.Meta(max_length=2)] = ()
    stripes: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)] = (1,)
    prices: dict[str, Annotated[float, msgspec.Meta(ge=0)]] | None = None
    brim: Brim | None = None
    brims: tuple[Brim, ...] = ()
    picture: bytes = b""
    two_words: int = msgspec.field(name="two words", default=0)


class Loose(msgspec.Struct):
    fits: int
    other: int = 0

    def __post_init__(self) -> None:
        if self.fits > 9:
            raise ValueError("too large")


def sentence(raw: Any, kind: type = Hat) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(raw, kind)
    return mistake(caught.value, raw, kind).sentence


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"size": "huge"}, 'size must be "small" or "large", not "huge"'),
        ({"fits": 0}, "fits must be a whole number of at least 1, not 0"),
        ({"fits": 1.5}, "fits must be a whole number of at least 1, not 1.5"),
        ({"price": 0.5}, "price must be a number above 0.5 and up to 4, not 0.5"),
        ({"weight_kg": 2}, "weight_kg must be a number below 2, not 2"),
        ({"any_number": True}, "any_number must be a number, not true"),
        ({"colour": "red"}, 'colour must be a colour such as "#FFF" or "#000", not "red"'),
        ({"owner": ""}, 'owner must be a text of at least 1 characters or null, not ""'),
        ({"owner": 5}, "owner must be a text of at least 1 characters or null, not 5"),
        ({"label": None}, "label must be a text of 1 to 9 characters, not null"),
        ({"note": "longer than that"}, 'note must be a text of at most 9 characters, not "longer than that"'),
        ({"worn": "daily"}, 'worn must be "never" or "often" or true or false, not "daily"'),
        ({"year": 2023}, "year must be 2024, not 2023"),
        ({"bands": ["red", "green"]}, 'bands[1] must be "blue" or "red", not "green"'),
        ({"bands": 3 * ["red"]}, 'bands must be a list of at most 2 entries, each "blue" or "red", not a list of 3'),
        ({"bands": "red"}, 'bands must be a list of at most 2 entries, each "blue" or "red", not "red"'),
        ({"stripes": []}, "stripes must be a list of at least 1 entries, each a whole number, not a list of 0"),
        ({"stripes": {}}, "stripes must be a list of at least 1 entries, each a whole number, not a group of keys"),
        ({"fits": [1, 2]}, "fits must be a whole number of at least 1, not a list"),
        ({"prices": {"a": -1}}, "prices must be a group of keys, each with a number of at least 0 or null"),
        ({"prices": [1]}, "prices must be a group of keys, each with a number of at least 0 or null, not a list"),
        ({"brim": {"width_mm": 91}}, "brim.width_mm must be a whole number from 0 to 90, not 91"),
        ({"brim": 5}, "brim must be a group of keys (width_mm, stiff) or null, not 5"),
        ({"brim": {}}, 'brim lacks the key "width_mm": it must be a whole number from 0 to 90'),
        ({"brim": {"stif": True, "width_mm": 5}}, 'there is no key "stif" in brim: did you mean "stiff"?'),
        ({"brims": [{"width_mm": 5}, {"width": 5}]}, 'no key "width" in brims[1]: did you mean "width_mm"?'),
        (
            {"brims": [{"width_mm": 5}, {"width_mm": ""}]},
            'brims[1].width_mm must be a whole number from 0 to 90, not ""',
        ),
        ({"brims": [5]}, "brims[0] must be a group of keys (width_mm, stiff), not 5"),
        ({"picture": 5}, "picture must be of another kind, not 5"),
        ({"two words": "x"}, 'two words must be a whole number, not "x"'),
        ({"OWNER": "Ada"}, 'there is no key "OWNER": did you mean "owner"?'),
        ({"stiff": True}, 'there is no key "stiff": did you mean brim.stiff?'),
        ({"x - at `$.size`": 5}, 'there is no key "x - at `$.size`": choose from size, fits, price,'),
        ({"size": "x - at `$.fits`"}, 'size must be "small" or "large", not "x - at `$.fits`"'),
        ({"x` - at `$.size": 5}, 'there is no key "x` - at `$.size": choose from size, fits, price,'),
        ({7: 5}, "there is no key 7: choose from size"),
        ([], "the whole must be a group of keys (size, fits, price, weight_kg, any_number, colour, owner, label,"),
        (5, "note, worn, year, bands, ...), not 5"),
        (None, "not null"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(raw: Any, expected: str) -> None:
    assert expected in sentence(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"unknown": 5}, 'the whole lacks the key "fits": it must be a whole number'),
        ({"fits": 10}, "the whole must be a group of keys (fits, other)"),
    ],
)
def test_a_struct_of_another_kind_has_a_sentence_too(raw: Any, expected: str) -> None:
    assert sentence(raw, Loose) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ("fröhlich\n", r'"fröhlich\n"'),
        ("\ud800", r'"\ud800"'),
        (float("nan"), "NaN"),
        pytest.param(10**5000, "so large a number", id="a number over Python's limit"),
        ("x" * 100, '"' + 59 * "x" + "..."),
    ],
)
def test_a_value_is_shown_as_it_is_written(value: object, text: str) -> None:
    assert excerpt(value) == text
