"""What is wrong where a parser of JSON or TOML gave up, and what to do there."""

import re
from typing import Final

_CURLY: Final = re.compile("[\u201c\u201d\u201e\u201f\u2018\u201a\u00ab\u00bb]")
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


def stumble(text: str, at: int, says: str) -> str:
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
    return f"{place(text, at)}: {remedy}"


def place(text: str, at: int) -> str:
    """Return the place of the character with an index, for people."""
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"
