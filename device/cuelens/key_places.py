"""Where each key of a TOML or JSON file stands: their parsers do not tell, and a key's name may stand there twice."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Final

Path = tuple[str | int, ...]
"""Keys, and numbers of entries from 0 on: ("pins", "single", 0, "colour")."""

_TOKEN: Final = re.compile(
    r"""
    \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5}       # texts of several lines
    | "(?:\\.|[^"\\\n])*" | '[^'\n]*' | \#[^\n]*        # texts, comments
    | [\[\]{}=:,.\n] | [\w+-]+
    """,
    re.DOTALL | re.VERBOSE,
)
_END: Final = ("", 0)


def of_toml(text: str) -> Mapping[Path, int]:
    """Return the index of the first character of each key and entry, in TOML without mistakes in its grammar."""
    walk = _Walk(text, assigns="=")
    table: Path = ()
    while walk.sign:
        if walk.sign == "\n":
            walk.take()
        elif walk.sign == "[":
            walk.take()
            many = walk.sign == "["
            if many:
                walk.take()
            table = walk.key((), end="]", many=many)
            if many:
                walk.take()
        else:
            walk.value(walk.key(table, end="="))
    return walk.found


def of_json(text: str) -> Mapping[Path, int]:
    """Return the index of the first character of each key and entry, in JSON without mistakes in its grammar."""
    walk = _Walk(text, assigns=":")
    walk.skip_lines()
    walk.value(())
    return walk.found


class _Walk:
    """One walk through a text, sign by sign. Numbers and dates need no grammar here: nothing follows from them.

    Attributes:
        found: the places so far.
        sign: the next sign, word or text; "" at the end.
    """

    def __init__(self, text: str, *, assigns: str) -> None:
        """assigns: the sign between a key and its value."""
        self.found: dict[Path, int] = {}
        self._assigns = assigns
        self._tokens = ((match[0], match.start()) for match in _TOKEN.finditer(text) if match[0][0] != "#")
        self._entries: dict[Path, int] = {}
        self.sign, self._at = next(self._tokens, _END)

    def take(self) -> str:
        """Return the next sign, and go on to the one after it."""
        taken = self.sign
        self.sign, self._at = next(self._tokens, _END)
        return taken

    def skip_lines(self) -> None:
        """Go on to the next sign that ends no line."""
        while self.sign == "\n":
            self.take()

    def key(self, path: Path, *, end: str, many: bool = False) -> Path:
        """Take a key with dots, and the sign that ends it. Returns its path.

        many: it is one of the tables that share this key.
        """
        while self.sign not in (end, ""):
            if self.sign in ".\n":
                self.take()
                continue
            path = (*path, *self._entry(path))
            self.found.setdefault((*path, self._word(self.sign)), self._at)
            path = (*path, self._word(self.take()))
        self.take()
        if many:
            self._entries[path] = self._entries.get(path, -1) + 1
        return (*path, *self._entry(path))

    def value(self, path: Path) -> None:
        """Take a value."""
        opening = self.take()
        if opening not in ("[", "{"):
            while self.sign not in (",", "]", "}", "\n", ""):
                self.take()
            return
        number = 0
        self.skip_lines()
        while self.sign not in ("]", "}", ""):
            if opening == "[":
                self.found[*path, number] = self._at
                self.value((*path, number))
                number += 1
            else:
                self.value(self.key(path, end=self._assigns))
            while self.sign in (",", "\n"):
                self.take()
        self.take()

    def _entry(self, path: Path) -> Path:
        """Return the number of the table that is written, where several share a key."""
        return (self._entries[path],) if path in self._entries else ()

    def _word(self, sign: str) -> str:
        if sign[0] not in "\"'":
            return sign
        return str(json.loads(sign)) if self._assigns == ":" else str(tomllib.loads(f"x = {sign}")["x"])
