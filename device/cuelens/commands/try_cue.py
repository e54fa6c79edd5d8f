"""`cuelens try`: has running glasses give one cue, so that people see and hear it."""

from pathlib import Path

from cuelens.commands.press import ask_glasses
from cuelens.link.requests import LONGEST_WORD, Try
from cuelens_models.errors import BadInput


def try_cue(word: str, config: Path | None) -> int:
    """Give the cue for a word, and print by what. Returns 0. Raises as `press`."""
    if not 0 < len(word) <= LONGEST_WORD or not word.isprintable():
        raise BadInput(f"{word[:LONGEST_WORD]!r} is no word of the glasses: expected one such as happy")
    print(ask_glasses(Try(word=word), config))
    return 0
