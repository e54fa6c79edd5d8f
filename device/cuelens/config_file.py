"""Settings, profiles and languages: files that people write. Every error is one sentence: file, place, key, rule.

They are read as editors write them: with a byte-order mark, as UTF-16, with the line ends of Windows. JSON may have
comments (//, /* */), a comma after the last entry, and 40.0 for 40.
"""

import codecs
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from cuelens_models import regular_file
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import excerpt, mistake

T = TypeVar("T")
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$", title="a colour", examples=["#F0E442"])]
"""Red, green and blue as a web page writes them."""

_MOST_BYTES: Final = 1_000_000
"""Largest file to read: many times the longest profile, and little of a small board's memory."""
_LARGEST_WHOLE: Final = 2**53
"""Up to here every whole number has a float of its own."""
_TEXT: Final = r'("(?:\\.|[^"\\\n])*"?)'
_COMMENT: Final = re.compile(rf"{_TEXT}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(rf"{_TEXT}|,(?=\s*[\]}}])", re.DOTALL)
_CURLY: Final = re.compile("[\u201c\u201d\u201e\u201f\u2018\u201a\u00ab\u00bb]")
_TOML_TEXT: Final = re.compile(r""""(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*""")
_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_MOST_POINTS: Final = 32
"""Most points in a line of TOML, outside texts. `tomllib` takes the square of a key's parts, hours for a whole file."""
_LONGEST_KEY: Final = 60
"""Longest key whose place is searched for: a longer one is none of ours, and may take long to find."""
_TOO_DEEP: Final = "too many brackets stand in each other"
_SAYS: Final = {
    "Expecting ':'": 'a colon is missing: an entry is "key": value',
    "Expecting ','": "this is not expected here: is a comma, a quote or a bracket missing before it?",
    "Expecting property name": "a key in double quotes is missing here",
    "Expecting value": "a value is missing here: a number, true, false, null, or text in double quotes",
    "Extra data": "something stands after the end: one pair of brackets encloses everything",
    "Invalid control": "a text ends in its line, with a double quote, and holds no tab",
    "Unterminated string": "the text that begins here has no closing quote",
    "Invalid \\": "a backslash in a text is written twice",
    "Unescaped": "a backslash in a text is written twice",
    "": "this cannot be read: expected key = value with text in double quotes, or a [section]",
}
"""What to do about the messages of `json` and `tomllib`, by their beginnings. The last is for the others of TOML."""


def read_toml(path: Path, kind: type[T]) -> T:
    """Decode a TOML file into a frozen Struct. Raises BadInput."""
    return _decode(path, kind, _toml)


def read_json(
    path: Path,
    kind: type[T],
    retired: Collection[str] = (),
    factory: Any = msgspec.UNSET,
    *,
    content: bytes | None = None,
) -> tuple[T, list[str]]:
    """Decode a JSON file into a frozen Struct.

    Args:
        path: the file.
        kind: the Struct that it must fit.
        retired: keys of earlier versions, as "policy.margin". Their values are ignored.
        factory: a Struct into which the file is merged, key by key; null takes away.
        content: of the file, if it was read already.

    Returns the Struct, and the retired keys in the file. Raises BadInput.
    """
    old_keys: list[str] = []

    def parse(text: str) -> Any:
        raw = _json(text)
        for key in retired:
            *parents, last = key.split(".")
            place = raw
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if isinstance(place, dict) and last in place:
                del place[last]
                old_keys.append(key)
        return raw if factory is msgspec.UNSET else _merged(msgspec.to_builtins(factory), raw)

    return _decode(path, kind, parse, content), old_keys


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
        line = content[: error.start].count(b"\n") + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise BadInput(f"{path} is not in UTF-8 at line {line}: save it with the encoding UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _merged(below: Any, above: Any) -> Any:
    """Return JSON values with the keys of `above` in place of those of `below`, at any depth."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _decode(path: Path, kind: type[T], parse: Callable[[str], Any], content: bytes | None = None) -> T:
    text = _text(path, read_content(path) if content is None else content)
    if not text.strip():
        raise BadInput(f"{path} is empty")
    try:
        raw = parse(text)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: {_TOO_DEEP}") from error
    except ValueError as error:
        # Python reads no number of more than 4300 digits.
        raise BadInput(f"{path}: a number has too many digits") from error
    try:
        _check_texts(raw)
        return msgspec.convert(raw, kind)
    except RecursionError as error:
        # A parser may have had more room, or none of its own: it reads dotted keys of TOML without recursion.
        raise BadInput(f"{path}: {_TOO_DEEP}") from error
    except msgspec.ValidationError as error:
        wrong = mistake(error, raw, kind)
        raise BadInput(f"{path}: {_key_place(text, wrong.key)}{wrong.sentence}") from error
    except OverflowError as error:
        raise BadInput(f"{path}: a number has too many digits") from error
    except UnicodeError as error:
        raise BadInput(f"{path}: a text has half a character, \\ud800 to \\udfff") from error


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
        raise BadInput(_stumble(error.doc, error.pos, error.msg)) from error


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
        raise BadInput(_stumble(text, at, str(error))) from error


def _plain(text: str) -> str:
    """Return JSON with spaces in place of comments and of last commas. Every other character keeps its place."""
    for pattern in (_COMMENT, _LAST_COMMA):
        text = pattern.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
    return text


def _number(digits: str) -> float | int:
    """Return 40 for "40.0", since a whole number may be written either way."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= _LARGEST_WHOLE else value


def _once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    for key, count in Counter(key for key, _ in entries).items():
        if count > 1:
            raise BadInput(f"the key {excerpt(key)} stands there twice: keep one")
    return dict(entries)


def _stumble(text: str, at: int, says: str) -> str:
    """Return the place where a parser gave up, and what to do there.

    Args:
        text: the content of the file.
        at: the index of the first character that was not understood.
        says: the parser's message.
    """
    sign, word = text[at : at + 1], re.split(r"\W", text[at:], maxsplit=1)[0]
    line = text[:at].rpartition("\n")[2] + text[at:].partition("\n")[0]
    if says.startswith(("Cannot", "Duplicate")):
        remedy = "this key or section stands there twice: keep one"
    elif not text[at:].strip():
        remedy = "the file ends too early: a closing bracket or quote is missing"
    elif _CURLY.search(line):
        remedy = 'text stands in straight quotes, "like this", not in curly ones'
    elif sign == "'":
        remedy = 'text stands in double quotes, "like this"'
    elif sign == "#":
        remedy = "a colour stands in double quotes, and a comment in JSON begins with //"
    elif re.search(r"\d,\d", text[max(at - 2, 0) : at + 2]):
        remedy = "a number has a point, no comma: 0.5"
    elif sign == "," or (sign in "]}" and text[:at].rstrip().endswith(",")):
        remedy = "a comma is too many here, or a value is missing"
    elif word.lower() in ("true", "false", "null") and word != word.lower():
        remedy = f"write {word.lower()}, in small letters"
    elif not (sign.isprintable() or sign in "\n\t"):
        remedy = "an invisible character stands here: delete it, or save the file with the encoding UTF-8"
    else:
        remedy = next(words for beginning, words in _SAYS.items() if says.startswith(beginning))
    return f"{_place(text, at)}: {remedy}"


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def _key_place(text: str, key: str) -> str:
    """Return the place of a key, to stand before a sentence; "" if there is no such key, or more than one."""
    if not key.strip() or len(key) > _LONGEST_KEY:
        return ""
    places = list(re.finditer(rf'(?<![\w-])(["\']?){re.escape(key)}\1\s*[:=.\]]', text))
    return f"{_place(text, places[0].start())}: " if len(places) == 1 else ""
