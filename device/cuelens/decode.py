"""Settings and profiles from files: every mistake is one sentence that names file, key, value and what is allowed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cuelens_models.errors import BadInput

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Decode a TOML file into a frozen Struct. Raises BadInput."""
    return _convert(path, kind, tomllib.loads)


def read_json(path: Path, kind: type[T]) -> T:
    """Decode a JSON file into a frozen Struct. Raises BadInput."""
    return _convert(path, kind, json.loads)


def _convert(path: Path, kind: type[T], parse: Any) -> T:
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise BadInput(f"{path} is empty")
        raw = parse(text)
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
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

    The structs that are read here hold neither lists nor dictionaries, so a path is keys and dots only.
    """
    what, _, where = message.partition(" - at `$")
    keys = re.findall(r"[^.`]+", where)
    value: Any = raw
    for key in keys:
        value = value[key]
    what = (what[0].lower() + what[1:]).replace("`", "")
    if isinstance(value, dict | list) or not keys:
        return f"{'.'.join(keys)}: {what}" if keys else what
    return f"{'.'.join(keys)} is {value!r}: {what}"
