"""What completes the commands in a shell: what `make completion` writes, from their parsers, by shtab.

A shell that completes a word starts no Python: a start takes a second on a small board.
"""

import re
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path
from typing import Final

import shtab

from cuelens import arguments
from cuelens.cues.modes import modes
from cuelens_convert import cli
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.commands import audit, evaluate, train, tune
from cuelens_models.zoo import cuelens, teacher
from cuelens_models.zoo.published import RECIPES

FOLDER: Final = Path(__file__).resolve().parents[1] / "device" / "cuelens" / "commands" / "completions"
SHELLS: Final = ("bash", "zsh")
_WORDS: Final = {
    "mode": tuple(modes()),
    "word": (*LABELS, "face", "unsure"),
    "recipe": tuple(RECIPES),
    "recipes": (cuelens.NAME, teacher.NAME, "ensemble", *RECIPES),
}
"""Words of arguments that no parser checks: their mistakes have sentences of their own."""
_FOLDERS: Final = {"DIR", "FOLDER"}
_TEXTS: Final = {"source", "events", "video"}
"""Arguments that may be files, and are read as text."""


def parsers() -> tuple[ArgumentParser, ...]:
    """Return the parsers of all commands that a wheel installs."""
    models = (train.command_line(), audit.command_line(), tune.command_line(), evaluate.command_line())
    return (arguments.parser(), *models, cli.command_line())


def script(shell: str) -> str:
    """Return the script that completes all commands in a shell."""
    made = []
    for parser in parsers():
        _teach(parser)
        text = shtab.complete(parser, shell)
        # How to install it is said by `cuelens completion --help`.
        made.append(re.sub(r"(?m)^# (Usage:|1\)|2\)|See also:).*\n(#  .*\n)*", "", text).strip())
    return "\n\n".join([*made, ""])


def _teach(parser: ArgumentParser) -> None:
    """Say what a file is, a folder, or one of some words."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for about in action._choices_actions:
                # shtab would print a description, which is a page.
                action.choices[about.dest].description = about.help
            for under in action.choices.values():
                _teach(under)
        elif action.dest in _WORDS:
            action.choices = _WORDS[action.dest]
        elif action.type is Path or action.dest in _TEXTS:
            action.complete = shtab.DIRECTORY if action.metavar in _FOLDERS else shtab.FILE  # type: ignore[attr-defined]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for shell in SHELLS:
        (FOLDER / f"cuelens.{shell}").write_text(script(shell), "utf-8")
        print(FOLDER / f"cuelens.{shell}")
