"""The settings as `cuelens doctor` sees them: every mistake, and what can be checked in spite of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuelens import settings
from cuelens.settings import Settings
from cuelens_models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Settings, right or wrong.

    Attributes:
        settings: as far as they are right, with defaults in place of the rest.
        mistakes: a sentence for each, with file and place.
        wrong: the sections that cannot be relied on.
        summary: what the file sets, in a sentence.
    """

    settings: Settings
    mistakes: Sequence[str] = ()
    wrong: Collection[str] = ()
    summary: str = "no file: each key has its default"


def review(path: Path | None) -> Reviewed:
    """Review the settings of a file; None: there is none."""
    if path is None:
        return Reviewed(Settings())
    sections = set(Settings.__struct_fields__)
    try:
        setup, mistakes = settings.review(path)
    except BadInput as error:
        return Reviewed(Settings(), [str(error)], sections)
    wrong = {str(mistake.at[0]) for mistake in mistakes}
    if not wrong <= sections:
        # Any section may be meant by one that is misspelt.
        wrong = sections
    return Reviewed(setup, [mistake.sentence for mistake in mistakes], wrong, f"{path}: {_changed(setup)}")


def _changed(setup: Settings) -> str:
    factory, keys = Settings(), []
    for section in setup.__struct_fields__:
        own, usual = getattr(setup, section), getattr(factory, section)
        keys += [f"{section}.{key}" for key in own.__struct_fields__ if getattr(own, key) != getattr(usual, key)]
    return f"its own {', '.join(keys)}" if keys else "each key has its default"
