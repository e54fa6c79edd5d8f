"""Forms made of the profile's schema, so that a new key needs no new form. Pure: no request, no language."""

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from cuelens.page.draft import get, put
from cuelens.profile.profile import Profile

UNSET: Final = "(usual)"
NONE: Final = "(none)"
OWN: Final = "(own)"
"""Values of the field beside a field: it has its usual value, none, or one of its own."""
PRESENCE: Final = "?"
SHOWN: Final = "!"
"""Endings of names: of the field beside a field; and of the hidden one that says that the form has a switch."""
_MOST_DIGITS: Final = 15
"""Most digits of a whole number: Python refuses one of thousands with an error of its own."""
_PREFIX: Final = "#/$defs/"
_MEASURED: Final = ("people",)
"""Keys that are measured and that nobody types."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field, or a group of them.

    Attributes:
        key: of the profile, as "sound.on". It is the name of the field.
        label: key of its text: the struct and the key in it, as "Sound.on".
        kind: switch, choice, choices, whole, number, text, or group.
        value: the value in force; None also for no value.
        is_nullable: it may have no value. is_unset: it may be left out, and is.
        may_be_unset: it may be left out, and means something else then.
        minimum, maximum: of a number; most letters of a text.
        options: of a choice. fields: of a group. pattern: that a text must fit.
    """

    key: str
    label: str
    kind: str
    value: Any = None
    is_nullable: bool = False
    may_be_unset: bool = False
    is_unset: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    options: tuple[str, ...] = ()
    fields: tuple["Field", ...] = field(default=())


def schema() -> dict[str, Any]:
    """Return the schema of a profile."""
    return msgspec.json.schema(Profile)


def groups(made: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a profile; what stands in no group of its own is in the group with the key "".

    Args:
        made: the schema.
        profile: the values.
    """
    name = made["$ref"].removeprefix(_PREFIX)
    top = _group(made, "", name, name, dict(made["$defs"][name]), profile)
    single = tuple(one for one in top.fields if one.kind != "group")
    return [Field("", name, "group", fields=single), *(one for one in top.fields if one.kind == "group")]


def read(group: Field, form: Mapping[str, str], profile: dict[str, Any]) -> dict[str, Any]:
    """Return a profile with what a form of a group says. What it leaves out stays.

    A text that is no number stays a text: the glasses say what is wrong with it.
    """
    changed: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(profile))
    for one in (group,) if group.key else group.fields:
        _put(changed, one, form)
    return changed


def whole(text: str) -> int | None:
    """Return a whole number as people type it, in any digits; None for what is none, or too long to be one of ours."""
    number = text.strip()
    return int(number) if len(number) <= _MOST_DIGITS and number.removeprefix("-").isdecimal() else None


def leaves(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Return all fields of groups and of groups in them."""
    for one in fields:
        if one.kind == "group":
            yield from leaves(one.fields)
        else:
            yield one


def _group(
    made: Mapping[str, Any], key: str, label: str, name: str, rule: Mapping[str, Any], value: Any, **rest: Any
) -> Field:
    inner = value if isinstance(value, Mapping) else {}
    fields = tuple(
        one
        for below, below_rule in rule.get("properties", {}).items()
        if below not in _MEASURED
        and (
            one := _field(
                made,
                f"{key}.{below}".lstrip("."),
                f"{name}.{below}",
                below_rule,
                inner.get(below, below_rule.get("default", msgspec.UNSET)),
            )
        )
    )
    return Field(key, label, "group", value=value, fields=fields, **rest)


def _field(made: Mapping[str, Any], key: str, label: str, rule: Mapping[str, Any], value: Any) -> Field | None:
    is_nullable = False
    if "anyOf" in rule:
        others = [one for one in rule["anyOf"] if one.get("type") != "null"]
        is_nullable = len(others) < len(rule["anyOf"])
        unset = {} if "default" in rule else {"$unset": True}
        rule = {**others[0], **unset}
    is_unset = value is msgspec.UNSET
    rest: dict[str, Any] = {
        "is_nullable": is_nullable,
        "may_be_unset": rule.get("$unset", False),
        "is_unset": is_unset,
    }
    value = None if is_unset else value
    if "$ref" in rule:
        name = rule["$ref"].removeprefix(_PREFIX)
        return _group(made, key, label, name, made["$defs"][name], value, **rest)
    if "enum" in rule:
        # A single value is no choice.
        options = tuple(map(str, rule["enum"]))
        return Field(key, label, "choice", value, options=options, **rest) if len(options) > 1 else None
    if rule.get("type") == "array":
        return Field(key, label, "choices", value, options=tuple(rule["items"].get("enum", ())), **rest)
    kinds = {"boolean": "switch", "integer": "whole", "number": "number", "string": "text"}
    return Field(
        key,
        label,
        kinds.get(rule.get("type", ""), "text"),
        value,
        minimum=rule.get("minimum"),
        maximum=rule.get("maximum", rule.get("maxLength")),
        pattern=rule.get("pattern", ""),
        **rest,
    )


def _put(profile: dict[str, Any], one: Field, form: Mapping[str, str]) -> None:
    """Put the value of a field, or those of a group, into a profile."""
    presence = form.get(f"{one.key}{PRESENCE}", OWN)
    if presence == NONE:
        put(profile, one.key, None)
    elif presence == UNSET:
        *parents, last = one.key.split(".")
        get(profile, ".".join(parents), {}).pop(last, None)
    elif one.kind == "group":
        for below in one.fields:
            _put(profile, below, form)
    elif (value := _value(one, form)) is not msgspec.UNSET:
        put(profile, one.key, value)


def _value(one: Field, form: Mapping[str, str]) -> Any:
    """Return the value of a field in a form; unset if the form does not have it."""
    text = form.get(one.key)
    if one.kind == "choices":
        chosen = [option for option in one.options if f"{one.key}={option}" in form]
        return chosen if f"{one.key}{SHOWN}" in form else msgspec.UNSET
    if one.kind == "switch":
        # A browser sends nothing for a switch that is off.
        return text is not None if f"{one.key}{SHOWN}" in form else msgspec.UNSET
    if text is None:
        return msgspec.UNSET
    if not text and one.is_nullable:
        return None
    if one.kind == "whole" and (number := whole(text)) is not None:
        return number
    if one.kind == "number":
        with contextlib.suppress(ValueError):
            value = float(text.strip().replace(",", "."))
            return value if math.isfinite(value) else text
    return text
