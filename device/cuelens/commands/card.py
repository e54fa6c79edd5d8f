"""`cuelens card take`: what a person wrote into `cuelens.toml` on the memory card is put in force, and answered there.

Only what is new on the card is taken. It is checked first, and taken whole or not at all. Nothing of the user's is
lost: settings that were edited on the glasses are kept beside the new ones, as cuelens-1.toml, cuelens-2.toml, ...
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cuelens.commands import card_answer, card_file
from cuelens.commands.card_answer import Outcome
from cuelens.commands.card_file import FILE, Card
from cuelens.commands.card_memory import Memory, copy_beside, look, read
from cuelens.commands.card_parts import Parts
from cuelens.settings import Settings
from cuelens_models.atomic_file import clear, make_folder, write_whole
from cuelens_models.errors import BadInput, CuelensError, Unwritable

_FACTORY: Final = card_file.rendered(Settings())
_COUNTRY: Final = "country"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is.

    Attributes:
        card: the part of the memory card that every computer can read.
        etc: the settings of the glasses.
        state: what was taken last; it must last from boot to boot.
    """

    card: Path = Path("/boot/firmware")
    etc: Path = Path("/etc/cuelens")
    state: Path = field(default_factory=lambda: Path(os.environ.get("STATE_DIRECTORY") or "/var/lib/cuelens-card"))


def take(places: Places, check: Callable[[str], Parts]) -> int:
    """Take what is new on the card, and answer it there.

    A power cut at any instant leaves files that the next call completes.

    Args:
        places: where everything is.
        check: seeds the language that it gets, "" for none, into the first profile, and checks the parts.

    Returns 0 if nothing is new, or if it is in force and all is well; 1 if a part is not well; 3 if the file has
    mistakes, or something cannot be written. Raises BadInput if the card is no folder.
    """
    file = places.card / FILE
    if not places.card.is_dir():
        raise BadInput(f"{places.card} is no folder: Raspberry Pi OS makes it; name another one if this is a trial")
    # The glasses, which are another user, read their settings.
    earlier = os.umask(0o022)
    try:
        if not file.exists():
            print(f"{file} is not there: nothing is taken")
            return 0
        # What a power cut left.
        clear(places.card, card_answer.FILE)
        for folder in (places.etc, places.state, places.state / "given"):
            clear(folder)
        sight, memory = look(file), Memory(places.state)
        if memory.knows(sight):
            _give_again(places, memory)
            print(f"{file} is as it was: nothing is taken")
            return 0
        return _answered(places, memory, sight, check)
    finally:
        os.umask(earlier)


def _answered(places: Places, memory: Memory, sight: bytes | str, check: Callable[[str], Parts]) -> int:
    """Take a new file of the card, and answer it."""
    card, mistakes = card_file.review(places.card / FILE, sight if isinstance(sight, bytes) else None)
    outcome = Outcome(card, mistakes, misnamed=(places.card / card_answer.MISNAMED).exists())
    try:
        if not mistakes:
            outcome.kept = _put_settings(card, places, memory)
            _put_country(card, places, memory)
        # Before the check: one that hangs would hang at each boot.
        written = _write_answer(places, outcome)
        memory.remember(sight)
    except (CuelensError, OSError) as error:
        outcome.trouble = " ".join(str(error).split())
        _write_answer(places, outcome)
        return _told(outcome, Unwritable.exit_status)
    outcome.parts = check("" if mistakes else card.language.lower())
    # A card that could not be written to has not changed meanwhile, and a second fault would say the same.
    written = written and _write_answer(places, outcome)
    memory.finish()
    if mistakes or not written:
        return _told(outcome, BadInput.exit_status)
    return _told(outcome, 0 if outcome.parts.well else 1)


def _put_settings(card: Card, places: Places, memory: Memory) -> Path | None:
    """Put the settings in force if the card says others than before. Returns where other ones are kept, else None.

    So an edit on the glasses holds until the card has something to say against it.
    """
    said, given, target = card_file.rendered(card.settings()), memory.given(FILE), places.etc / FILE
    kept = None
    if said != (given or _FACTORY) or (said != _FACTORY and not target.exists()):
        current = read(target)
        if current not in (None, said, given):
            kept = copy_beside(target, current or b"")
        if current != said:
            make_folder(places.etc)
            write_whole(target, said)
    if said != _FACTORY or given:
        memory.give(FILE, said)
    return kept


def _put_country(card: Card, places: Places, memory: Memory) -> None:
    """Write the country for `set-country`. A card that names none leaves the last one."""
    if card.country:
        content = card.country.upper().encode() + b"\n"
        make_folder(places.etc)
        write_whole(places.etc / _COUNTRY, content)
        memory.give(_COUNTRY, content)


def _give_again(places: Places, memory: Memory) -> None:
    """Write what the card gave, where it is gone: an update may have brought another /etc."""
    for name in (FILE, _COUNTRY):
        given = memory.given(name)
        if given is not None and not os.path.lexists(places.etc / name):
            make_folder(places.etc)
            write_whole(places.etc / name, given)
            print(f"{places.etc / name} was gone, and is as the card had it")


def _write_answer(places: Places, outcome: Outcome) -> bool:
    """Write the answer; tell whether that succeeded."""
    try:
        write_whole(places.card / card_answer.FILE, card_answer.content(outcome))
    except Unwritable as error:
        print(f"the answer cannot be written: {error}", file=sys.stderr)
        return False
    return True


def _told(outcome: Outcome, status: int) -> int:
    """Print what came of it, for the journal."""
    for sentence in outcome.mistakes:
        print(sentence, file=sys.stderr)
    if outcome.trouble:
        print(outcome.trouble, file=sys.stderr)
    elif not outcome.mistakes:
        print(f"{FILE} of the card is in force: {', '.join(card_file.own(outcome.card)) or 'all as it comes'}")
    if outcome.kept:
        print(f"the settings that were edited on the glasses are kept as {outcome.kept}")
    return status
