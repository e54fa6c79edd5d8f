"""The answer to `cuelens.toml` on the memory card: a text beside it, which any PC opens."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens.commands import card_file
from cuelens.commands.card_file import Card
from cuelens.commands.card_parts import Parts
from cuelens_models.version import __version__

FILE: Final = "cuelens-answer.txt"
MISNAMED: Final = f"{card_file.FILE}.txt"
"""What Notepad makes of the name if somebody saves the file as a text; Windows does not show the end."""
_WIDTH: Final = 96
_PART_INDENT: Final = 20
"""Where the words of a part begin in a line of `doctor`."""


@dataclass(slots=True)
class Outcome:
    """What came of a card's file, as far as it is known.

    Attributes:
        card: what the file says, with defaults in place of mistakes.
        mistakes: a sentence for each.
        trouble: why it could not be put in force; "" if it could.
        kept: where settings that somebody had edited on the glasses are kept.
        misnamed: a file lies beside it that may be what was meant.
        parts: what was found of the parts; None if they were not checked, or not yet.
    """

    card: Card
    mistakes: Sequence[str]
    trouble: str = ""
    kept: Path | None = None
    misnamed: bool = False
    parts: Parts | None = None


def content(outcome: Outcome) -> bytes:
    """Return the answer with the line ends of Windows, which all editors take; the oldest take no others."""
    text = "".join(f"{line}\r\n" for line in _lines(outcome))
    # An editor of another time would take UTF-8 without this mark for something else.
    return text.encode("ascii" if text.isascii() else "utf-8-sig")


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f"The answer of the glasses to {card_file.FILE} (cuelens {__version__})"
    yield ""
    yield from _taken(outcome)
    if outcome.kept:
        yield ""
        yield from _wrapped(
            f"The settings had been edited on the glasses. What stood there is kept as {outcome.kept} on the glasses."
        )
    if outcome.misnamed:
        yield ""
        yield from _wrapped(
            f"The card also holds {MISNAMED}, which the glasses do not read. If you changed that file,"
            f" delete {card_file.FILE}, and rename the other to it. Windows shows the end .txt only if it is told to."
        )
    yield ""
    yield from _parts(outcome)
    yield ""
    yield from _wrapped(
        f"To try again: change {card_file.FILE} on this card, save it under the same name as plain text, and switch the"
        " glasses on with the card. They read it only if it was changed. This answer is written anew then."
    )


def _taken(outcome: Outcome) -> Iterator[str]:
    if outcome.mistakes:
        count = len(outcome.mistakes)
        mistakes = "a mistake" if count == 1 else f"{count} mistakes"
        yield from _wrapped(f"The file has {mistakes}. Nothing of it was taken: what was in force before stays.")
        yield ""
        for sentence in outcome.mistakes:
            yield from _wrapped(sentence, "  - ", "    ")
    elif outcome.trouble:
        yield from _wrapped(f"The file is right, but it could not be put in force: {outcome.trouble}")
        yield from _wrapped("The glasses try again when they are switched on the next time.")
    elif own := list(card_file.own(outcome.card)):
        yield "The file is right, and in force. It says, other than the glasses come:"
        yield ""
        for line in own:
            yield from _wrapped(line, "    ", "      ")
    else:
        yield "The file is right, and in force. All in it is as the glasses come."


def _parts(outcome: Outcome) -> Iterator[str]:
    if outcome.trouble:
        yield "The parts of the glasses were not checked."
        return
    if outcome.parts is None:
        yield from _wrapped(
            "The parts of the glasses are being checked. If this stands here, the power went off meanwhile."
        )
        return
    yield "What was found of each part:"
    yield ""
    for line in outcome.parts.lines:
        yield from _wrapped(line, "    ", " " * (4 + _PART_INDENT))
    if not outcome.parts.ended:
        yield from _wrapped("The check did not come to its end: what follows the last line was not looked at.", "    ")


def _wrapped(text: str, first: str = "", following: str = "") -> list[str]:
    """Return a text as lines of a width that any window shows. Words stay whole: a path may be one."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=following or first,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
