"""Settings, profiles and languages: files that people write. Every error is one sentence: file, place, key, rule.

They are read as editors write them: with a byte-order mark, as UTF-16, with the line ends of Windows. JSON may have
comments (//, /* */), a comma after the last entry, and 40.0 for 40.
"""

import codecs
import itertools
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from cuelens import key_places, parse_errors
from cuelens_models import regular_file
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import Mistake, excerpt, is_foreign, mistake

T = TypeVar("T")
Place = key_places.Path
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$", title="a colour", examples=["#F0E442"])]
"""Red, green and blue as a web page writes them."""

_MOST_BYTES: Final = 1_000_000
"""Largest file to read: many times the longest profile, and little of a small board's memory."""
_LARGEST_WHOLE: Final = 2**53
"""Up to here every whole number has a float of its own."""
_TEXT: Final = r'("(?:\\.|[^"\\\n])*"?)'
_COMMENT: Final = re.compile(rf"{_TEXT}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(rf"{_TEXT}|,(?=\s*[\]}}])", re.DOTALL)
_TOML_TEXT: Final = re.compile(r""""(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*""")
_LONG_NUMBER: Final = re.compile(r"\d[\d_]{300}")
"""Longer than any that a float holds; above 4300 digits Python reads none."""
_SHARP: Final = re.compile(r"^\s*#.*$", re.MULTILINE)
_BRACKETS: Final = re.compile(r"(?:[\[{]\s*){50}")
_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_MOST_POINTS: Final = 32
"""Most points in a line of TOML, outside texts. `tomllib` takes the square of a key's parts, hours for a whole file."""
_TOO_DEEP: Final = "too many brackets stand in each other"


def read_toml(path: Path, kind: type[T]) -> T:
    """Decode a TOML file into a frozen Struct. Raises BadInput."""
    text = read_text(path)
    return _converted(path, text, _parsed(path, text, _toml), kind, key_places.of_toml)


def review_toml(
    path: Path,
    kind: type[T],
    rules: Callable[[T, Collection[Place], Collection[Place]], Iterable[Mistake]],
    *,
    content: bytes | None = None,
) -> tuple[T, list[Mistake]]:
    """Decode a TOML file into a frozen Struct whose keys all have defaults, and find all mistakes that can be found.

    Args:
        path: the file.
        kind: the Struct.
        rules: what types cannot say. Called with the Struct, the keys that the file holds, and those of the mistakes
            so far, in place of which defaults stand; returns what breaks a rule.
        content: of the file, if it was read already.

    Returns the Struct, with defaults in place of what does not fit, and the mistakes in their order in the file. Their
    sentences begin with file and place. Raises BadInput if the file cannot be read, or is no TOML.
    """
    text = _text(path, read_content(path) if content is None else content)
    raw = _parsed(path, text, _toml)
    places = _places(text, key_places.of_toml)
    found: list[Mistake] = []
    while True:
        try:
            value = msgspec.convert(raw, kind)
            break
        except msgspec.ValidationError as error:
            found.append(mistake(error, raw, kind))
            _remove(raw, found[-1].at)
        except OverflowError as error:
            raise _too_long(path, text) from error
    found += rules(value, places.keys(), [wrong.at for wrong in found])
    found.sort(key=lambda wrong: _index(places, wrong.at))
    return value, [Mistake(wrong.at, f"{path}: {_said_at(text, places, wrong)}") for wrong in found]


def read_json(
    path: Path,
    kind: type[T],
    retired: Collection[str] = (),
    factory: Any = msgspec.UNSET,
    *,
    content: bytes | None = None,
    name: str = "",
) -> tuple[T, list[str]]:
    """Decode a JSON file into a frozen Struct.

    Args:
        path: the file.
        kind: the Struct that it must fit.
        retired: keys of earlier versions, as "policy.margin". Their values are ignored.
        factory: a Struct into which the file is merged, key by key; null takes away.
        content: of the file, if it was read already.
        name: what the file should be, such as "profile": said of a file that is something else.

    Returns the Struct, and the retired keys in the file. Raises BadInput.
    """
    old_keys: list[str] = []

    def parse(text: str) -> Any:
        if name and not _is_object(text):
            raise BadInput(f"this is no {name}: expected JSON, which begins with {{")
        raw = _json(text)
        if name and is_foreign(raw, kind):
            raise BadInput(f"this is no {name}: it has none of the keys of one")
        for key in retired:
            *parents, last = key.split(".")
            place = raw
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if isinstance(place, dict) and last in place:
                del place[last]
                old_keys.append(key)
        return raw if factory is msgspec.UNSET else _merged(msgspec.to_builtins(factory), raw)

    text = _text(path, read_content(path) if content is None else content)
    return _converted(path, text, _parsed(path, text, parse), kind, _json_places), old_keys


def read_text(path: Path) -> str:
    r"""Return the text of a file, which may be empty, with "\n" at the end of each line. Raises BadInput.

    A FIFO or a device is refused, since it might never end; so is a file over 1 MB.
    """
    return _text(path, read_content(path))


def read_content(path: Path) -> bytes:
    """Return the bytes of a file of text, as one version of it. Raises BadInput, as `read_text` does."""
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}: expected a short text")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _text(path: Path, content: bytes) -> str:
    # Notepad calls UTF-16 "Unicode".
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        if b"\0" in content and not wide:
            raise BadInput(f"{path} is no text: choose another file") from error
        line = content[: error.start].count(b"\n") + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise BadInput(f"{path} is not in UTF-8 at line {line}: save it with the encoding UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _merged(below: Any, above: Any) -> Any:
    """Return JSON values with the keys of `above` in place of those of `below`, at any depth."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _parsed(path: Path, text: str, parse: Callable[[str], Any]) -> Any:
    if not text.strip():
        raise BadInput(f"{path} is empty")
    try:
        raw = parse(text)
        _check_texts(raw)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: {_first(text, _BRACKETS)}{_TOO_DEEP}") from error
    except UnicodeError as error:
        raise BadInput(f"{path}: a text has half a character, \\ud800 to \\udfff") from error
    except ValueError as error:
        raise _too_long(path, text) from error
    return raw


def _converted(path: Path, text: str, raw: Any, kind: type[T], find: Callable[[str], Mapping[Place, int]]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except RecursionError as error:
        # A parser may have had more room, or none of its own: it reads dotted keys of TOML without recursion.
        raise BadInput(f"{path}: {_first(text, _BRACKETS)}{_TOO_DEEP}") from error
    except msgspec.ValidationError as error:
        said = _said_at(text, _places(text, find), mistake(error, raw, kind))
        raise BadInput(f"{path}: {said}") from error
    except OverflowError as error:
        raise _too_long(path, text) from error


def _too_long(path: Path, text: str) -> BadInput:
    return BadInput(f"{path}: {_first(text, _LONG_NUMBER)}a number has too many digits")


def _remove(raw: Any, at: Place) -> None:
    """Take out a key, or the list that an entry stands in: the numbers of the others would change."""
    keys = list(itertools.takewhile(lambda step: isinstance(step, str), at))
    for key in keys[:-1]:
        raw = raw[key]
    del raw[keys[-1]]


def _check_texts(raw: Any) -> None:
    """Raise UnicodeError if a text has half a character: it could not be printed or written."""
    if isinstance(raw, str):
        raw.encode()
    elif isinstance(raw, dict):
        for key, value in raw.items():
            _check_texts(key)
            _check_texts(value)
    elif isinstance(raw, list):
        for value in raw:
            _check_texts(value)


def _json(text: str) -> Any:
    try:
        return json.loads(_plain(text), parse_float=_number, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise BadInput(parse_errors.stumble(error.doc, error.pos, error.msg)) from error


def _toml(text: str) -> Any:
    for number, line in enumerate(_TOML_TEXT.sub("", text).split("\n"), start=1):
        if line.count(".") > _MOST_POINTS:
            raise BadInput(f"line {number}: a key has too many points")
    try:
        return tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        at = len(text)
        if place := _TOML_PLACE.search(str(error)):
            before = text.split("\n")[: int(place[1]) - 1]
            at = sum(len(line) + 1 for line in before) + int(place[2]) - 1
        raise BadInput(parse_errors.stumble(text, at, str(error))) from error


def _plain(text: str) -> str:
    """Return JSON with spaces in place of comments and of last commas. Every other character keeps its place."""
    for pattern in (_COMMENT, _LAST_COMMA):
        text = pattern.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
    return text


def _is_object(text: str) -> bool:
    """Tell whether a text may be meant as an object of JSON, as one under comments of TOML or without brackets is."""
    sign = _SHARP.sub("", _plain(text)).lstrip()[:1]
    # An invisible one has a sentence of its own.
    return sign in ("{", '"', "'", "") or not sign.isprintable()


def _number(digits: str) -> float | int:
    """Return 40 for "40.0", since a whole number may be written either way."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= _LARGEST_WHOLE else value


def _once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    for key, count in Counter(key for key, _ in entries).items():
        if count > 1:
            raise BadInput(f"the key {excerpt(key)} stands there twice: keep one")
    return dict(entries)


def _first(text: str, pattern: re.Pattern[str]) -> str:
    """Return the place of a pattern, to stand before a sentence; "" if it is not there."""
    return f"{parse_errors.place(text, match.start())}: " if (match := pattern.search(text)) else ""


def _json_places(text: str) -> Mapping[Place, int]:
    return key_places.of_json(_plain(text))


def _places(text: str, find: Callable[[str], Mapping[Place, int]]) -> Mapping[Place, int]:
    try:
        return find(text)
    except RecursionError:
        # The parser came through that many brackets, deeper in the stack.
        return {}


def _index(places: Mapping[Place, int], at: Place) -> int:
    """Return where a key stands, or the group that lacks it; -1 if no part of it stands in the file."""
    return next((places[at[:end]] for end in range(len(at), 0, -1) if at[:end] in places), -1)


def _said_at(text: str, places: Mapping[Place, int], wrong: Mistake) -> str:
    """Return the sentence of a mistake, after its place if it has one."""
    index = _index(places, wrong.at)
    return wrong.sentence if index < 0 else f"{parse_errors.place(text, index)}: {wrong.sentence}"
