"""The words of the page. A language is one file in `texts/`, named by its code; the others translate English."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final

from cuelens.profile import language
from cuelens_models.errors import BadInput

FOLDER: Final = Path(__file__).parent / "texts"
FACTORY: Final = "en"
_RIGHT_TO_LEFT: Final = ("ar",)


class Texts:
    """The texts of one language, called with a key: `t("aim.title")`.

    Attributes:
        code: of the language. direction: "ltr" or "rtl".
    """

    def __init__(self, code: str) -> None:
        """Read a language by its code."""
        self.code = code
        self.direction = "rtl" if code in _RIGHT_TO_LEFT else "ltr"
        self._texts = read(code)

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values filled in. Raises KeyError if no language has the key."""
        text = self._texts.get(key) or read(FACTORY)[key]
        return text.format_map(values) if values else text

    def has(self, key: str) -> bool:
        """Tell whether there is a text."""
        return key in self._texts or key in read(FACTORY)


def available() -> list[str]:
    """Return the codes of all languages of the page, sorted."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


@lru_cache
def names() -> dict[str, str]:
    """Return each language's own name for itself, by its code."""
    return {code: _own_name(code) for code in available()}


@lru_cache
def read(code: str) -> dict[str, str]:
    """Return all texts of a language by "section.key"."""
    raw = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))
    return {
        f"{section}.{key}": text
        for section, texts in raw.items()
        if isinstance(texts, dict)
        for key, text in texts.items()
    }


def _own_name(code: str) -> str:
    try:
        return language.read(code).name
    except BadInput:
        return code
