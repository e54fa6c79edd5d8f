"""Settings and profile files. Every error is one sentence: file, key, value, and what is allowed."""

import json
import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from cuelens_models import regular_file
from cuelens_models.errors import BadInput

T = TypeVar("T")
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")]
"""Red, green and blue as a web page writes them: "#F0E442"."""

_PATH: Final = re.compile(r"\$((?:\.[^.\[`]+|\[\d+\])*)(?:`$)?")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MOST_BYTES: Final = 1_000_000
"""Largest file to read: many times the longest profile, and little of a small board's memory."""
_LONGEST_VALUE = 60
"""Longest value in an error sentence, in characters."""


def read_toml(path: Path, kind: type[T]) -> T:
    """Decode a TOML file into a frozen Struct. Raises BadInput."""
    return _convert(path, kind, tomllib.loads)


def read_json(
    path: Path, kind: type[T], retired: Collection[str] = (), factory: Any = msgspec.UNSET
) -> tuple[T, list[str]]:
    """Decode a JSON file into a frozen Struct.

    Args:
        path: the file.
        kind: the Struct that it must fit.
        retired: keys of earlier versions, as "policy.margin". Their values are ignored.
        factory: a Struct into which the file is merged, key by key; null takes away.

    Returns the Struct, and the retired keys in the file. Raises BadInput.
    """
    old_keys: list[str] = []

    def parse(text: str) -> Any:
        raw = json.loads(text)
        for key in retired:
            *parents, last = key.split(".")
            place = raw
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if isinstance(place, dict) and last in place:
                del place[last]
                old_keys.append(key)
        return raw if factory is msgspec.UNSET else _merged(msgspec.to_builtins(factory), raw)

    return _convert(path, kind, parse), old_keys


def _merged(below: Any, above: Any) -> Any:
    """Return JSON values with the keys of `above` in place of those of `below`, at any depth."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def read_text(path: Path) -> str:
    """Return the text of a file, which may be empty. Raises BadInput.

    A FIFO or a device is refused, since it might never end; so is a file over 1 MB.
    """
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}: expected a short text")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise BadInput(f"{path} is not readable: {error}") from error


def _convert(path: Path, kind: type[T], parse: Any) -> T:
    text = read_text(path)
    if not text.strip():
        raise BadInput(f"{path} is empty")
    try:
        raw = parse(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not readable: {error}") from error
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: {_sentence(str(error), raw)}") from error
    except UnicodeError as error:
        raise BadInput(f"{path} is not readable: {error}") from error


def _sentence(message: str, raw: object) -> str:
    """Turn msgspec's "Expected `int` <= 100 - at `$.sound.volume`" into "sound.volume is 140: expected int <= 100".

    A step of the path is a key, an index of a list, or "[...]": a key of a dictionary that msgspec does not name. Then
    the sentence names the path up to there, without a value.
    """
    what, _, rest = message.partition(" - at `")
    where = _PATH.search(rest)
    path = where[1] if where else ""
    value: Any = raw
    for key, number in _STEP.findall(path):
        value = value[int(number)] if number else value[key]
    what = (what[0].lower() + what[1:]).replace("`", "")
    name = path.removeprefix(".")
    if not name:
        return what
    no_value = isinstance(value, dict | list) or where is None or where[0] != f"${path}`"
    return f"{name}: {what}" if no_value else f"{name} is {_excerpt(value)}: {what}"


def _excerpt(value: object) -> str:
    """Return a value for an error sentence, cut if it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
