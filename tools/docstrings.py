"""What the docstrings of structs say: of the whole, and of each key. The pages that list keys are made of it."""

import inspect
import re
from typing import Any, Final

_ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def parts(doc: str | None) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the whole, with its paragraphs, and of each attribute by its name, in a line."""
    whole, _, listed = inspect.cleandoc(doc or "").partition("\n\nAttributes:")
    return whole, {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(listed)}


def about(struct: type[Any]) -> str:
    """Return what a struct is, in one line."""
    return " ".join(parts(struct.__doc__)[0].split())


def attributes(struct: type[Any]) -> dict[str, str]:
    """Return what each attribute of a struct means, by its name. A struct adds to what its bases say."""
    found: dict[str, str] = {}
    for each in reversed(struct.__mro__):
        found |= parts(each.__dict__.get("__doc__"))[1]
    return found
