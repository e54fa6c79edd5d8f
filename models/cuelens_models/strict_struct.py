"""The struct that every file of ours decodes into, and the sentence for a value that does not fit it."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

_PATH: Final = re.compile(r".* - at (?:`key` in )?`\$((?:\.[^.\[`]+|\[(?:\d+|\.\.\.)\])*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|(\[\.\.\.\])")
_LONGEST_VALUE: Final = 60
"""Longest value in a sentence, in characters."""
_MOST_NAMES: Final = 12
"""Most keys that a sentence lists."""


class StrictStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen struct that refuses keys it does not know, so that a misspelt key is told and not ignored."""


class Mistake(NamedTuple):
    """A value that does not fit. at: its keys and the numbers of its entries. sentence: path, rule and value."""

    at: tuple[str | int, ...]
    sentence: str


def mistake(error: msgspec.ValidationError, raw: Any, kind: type) -> Mistake:
    """Return what is wrong in the words of whoever wrote the file: "fps must be a whole number from 2 to 60, not 99".

    The rule comes from the types of the struct. Title and examples of a `msgspec.Meta` replace its pattern.

    Args:
        error: what `msgspec.convert(raw, kind)` raised.
        raw: the content: dicts, lists, texts, numbers, booleans and None.
        kind: the struct that it does not fit.
    """
    where = _PATH.match(str(error))
    value, rule, path = raw, inspect.type_info(kind), ""
    whole, at = rule, list[str | int]()
    for name, index, unnamed in _STEP.findall(where[1] if where else ""):
        if unnamed or _unknown(rule, value):
            # msgspec does not name the key of a dictionary. An unknown key comes first: it may look like a path.
            break
        value = value[name] if name else value[int(index)]
        rule = _inner(rule, name)
        path = f"{path}.{name}".lstrip(".") if name else f"{path}[{index}]"
        at.append(name or int(index))
    must_be = f"{path or 'the whole'} must be {allowed(rule)}{_but(value, rule)}"
    key, sentence = _keys(rule, value, path, whole) or (None, must_be)
    return Mistake((*at, key) if key is not None else tuple(at), sentence)


def is_foreign(raw: Any, kind: type) -> bool:
    """Tell whether a group of keys is something else than a struct: it has no key of it, and few that resemble one."""
    rule = inspect.type_info(kind)
    if not isinstance(raw, dict) or not raw or len(_unknown(rule, raw)) < len(raw):
        return False
    return 2 * sum(bool(_meant(rule, key)) for key in raw) <= len(raw)


def allowed(rule: inspect.Type) -> str:
    """Return what a type takes, to follow "must be": "true or false"."""
    return _either([_words(choice) for choice in _choices(rule)])


def excerpt(value: object) -> str:
    """Return a value as JSON writes it, cut if it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str).encode(errors="backslashreplace").decode()
    except ValueError:
        # Python writes no number of more than 4300 digits.
        return "so large a number"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _choices(rule: inspect.Type) -> tuple[inspect.Type, ...]:
    return rule.types if isinstance(rule, inspect.UnionType) else (rule,)


def _inner(rule: inspect.Type, name: str) -> inspect.Type:
    """Return the type of a key, or of the entries of a list if `name` is empty."""
    for choice in _choices(rule):
        if name and isinstance(choice, inspect.StructType):
            return next(field.type for field in choice.fields if field.encode_name == name)
        if not name and isinstance(choice, inspect.CollectionType):
            return choice.item_type
    return inspect.AnyType()


def _words(rule: inspect.Type) -> str:
    match rule:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            shown = extra or {}
            examples = [excerpt(example) for example in shown.get("examples", ())]
            return f"{shown.get('title', _words(inner))}{f' such as {_either(examples)}' if examples else ''}"
        case inspect.StructType(fields=fields):
            return f"a group of keys ({_listed([field.encode_name for field in fields])})"
        case inspect.DictType(key_type=inspect.Metadata() as key, value_type=inner):
            return f"a group of keys ({allowed(key)}), each with {allowed(inner)}"
        case inspect.DictType(value_type=inner):
            return f"a group of keys, each with {allowed(inner)}"
        case inspect.TupleType(item_types=(inner, *others)):
            return f"a list of {len(others) + 1} entries, each {allowed(inner)}"
        case inspect.CollectionType(item_type=inner, min_length=least, max_length=most):
            return f"a list{_length(least, most, 'entries')}, each {allowed(inner)}"
    return _value(rule)


def _value(rule: inspect.Type) -> str:
    match rule:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{_range(rule)}"
        case inspect.FloatType():
            return f"a number{_range(rule)}"
        case inspect.StrType(min_length=least, max_length=most):
            return f"a text{_length(least, most, 'characters')}"
        case inspect.LiteralType(values=values):
            return _either([excerpt(value) for value in values])
        case inspect.EnumType(cls=members):
            return _either([excerpt(member.value) for member in members])
        case inspect.NoneType():
            return "null"
    return "of another kind"


def _range(rule: inspect.IntType | inspect.FloatType) -> str:
    if rule.ge is not None and rule.le is not None:
        return f" from {rule.ge:g} to {rule.le:g}"
    bounds = {"of at least": rule.ge, "above": rule.gt, "up to": rule.le, "below": rule.lt}
    return " and".join(f" {words} {bound:g}" for words, bound in bounds.items() if bound is not None)


def _length(least: int | None, most: int | None, unit: str) -> str:
    if most is None:
        return f" of at least {least} {unit}" if least else ""
    return f" of {least} to {most} {unit}" if least else f" of at most {most} {unit}"


def _but(value: object, rule: inspect.Type) -> str:
    """Return the value, to follow the rule. What a group or a list holds is too long for a sentence."""
    kinds = {type(choice) for choice in _choices(rule)}
    if isinstance(value, dict):
        return "" if kinds & {inspect.DictType, inspect.StructType} else ", not a group of keys"
    if isinstance(value, list):
        return ", not a list" + (f" of {len(value)}" if kinds & {inspect.ListType, inspect.VarTupleType} else "")
    return f", not {excerpt(value)}"


def _structs(rule: inspect.Type, value: object) -> list[inspect.StructType]:
    """Return the structs among the types for a group of keys; none for another value."""
    choices = _choices(rule) if isinstance(value, dict) else ()
    return [choice for choice in choices if isinstance(choice, inspect.StructType)]


def _unknown(rule: inspect.Type, value: Any) -> list[str]:
    """Return the keys that a struct refuses."""
    strict = [struct for struct in _structs(rule, value) if struct.forbid_unknown_fields]
    return [key for struct in strict for key in value if key not in {field.encode_name for field in struct.fields}]


def _keys(rule: inspect.Type, value: Any, path: str, whole: inspect.Type) -> tuple[str | None, str] | None:
    """Return the first key that a struct does not know, and its sentence; else None and that for a missing one.

    whole: the type of the whole file, which may know the key elsewhere.
    """
    for struct in _structs(rule, value):
        fields = {field.encode_name: field for field in struct.fields}
        for key in _unknown(struct, value):
            # People forget the group of a key, or write it into another.
            meant = _near(struct, key) or list(_elsewhere(whole, key))
            remedy = f"did you mean {meant[0]}?" if meant else f"choose from {_listed(list(fields))}"
            return str(key), f"there is no key {excerpt(key)}{f' in {path}' if path else ''}: {remedy}"
        for name, field in fields.items():
            if field.required and name not in value:
                rest = f"it must be {allowed(field.type)}"
                return None, f"{path or 'the whole'} lacks the key {excerpt(name)}: {rest}"
    return None


def _meant(rule: inspect.Type, key: str) -> list[str]:
    """Return what a key at the top of a file may have been meant as."""
    near = [name for struct in _choices(rule) if isinstance(struct, inspect.StructType) for name in _near(struct, key)]
    return near or list(_elsewhere(rule, key))


def _near(struct: inspect.StructType, key: object) -> list[str]:
    """Return the key of a struct that looks most like a misspelt one, as JSON writes it; none if none does."""
    # Imported here: no start without a mistake needs it.
    import difflib

    names = [field.encode_name for field in struct.fields]
    return [excerpt(name) for name in difflib.get_close_matches(str(key).lower(), names, 1)]


def _elsewhere(rule: inspect.Type, key: str, path: str = "") -> Iterator[str]:
    """Yield the paths of a key at any depth."""
    for choice in _choices(rule):
        for field in choice.fields if isinstance(choice, inspect.StructType) else ():
            inner = f"{path}.{field.encode_name}".lstrip(".")
            if field.encode_name == key:
                yield inner
            yield from _elsewhere(field.type, key, inner)


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
