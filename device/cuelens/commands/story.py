"""`cuelens story`: prints a day, draws it, exports all days as CSV, or deletes all days.

A day without a session is no error, unless it is to be drawn.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cuelens import settings
from cuelens.commands.console import STANDARD, refuse_standard
from cuelens.commands.state_folder import state_folder
from cuelens.profile import store
from cuelens.profile.rules import fading_rule
from cuelens.runtime.wishes import Wishes
from cuelens.story import prose, query
from cuelens.story.files import FILE, files_of
from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Question:
    """Options of the command line.

    Attributes:
        config: settings of the hardware (TOML).
        day: YYYY-MM-DD or `unknown`; None is the day of the last session.
        picture: file for a picture of the day.
        table: file for all days as CSV; "-" is standard output, and the sentences go to standard error.
        delete: delete all days.
    """

    config: Path | None = None
    day: str | None = None
    picture: Path | None = None
    table: Path | None = None
    delete: bool = False


def story(question: Question) -> int:
    """Print the day, draw it, export all days, delete all days, in this order. Returns 0.

    An export or a deletion alone prints no day. Raises BadInput if this user may not read the story, and Unwritable.
    """
    config = question.config or settings.usual_path()
    state = state_folder(settings.read(config), "story")
    path = state / FILE
    says = sys.stderr if question.table == STANDARD else sys.stdout
    _check_outputs(question, [config, state, *files_of(path)])
    if question.day or question.picture or not (question.table or question.delete):
        _tell(state, question.day, question.picture, says)
    if question.table == STANDARD:
        output = command.standard_output()
        output.write(query.as_csv(path).encode())
        # What did not arrive is not deleted.
        output.flush()
    elif question.table:
        write_whole(question.table, query.as_csv(path).encode())
        print(f"the whole story as a table: {question.table}")
    if not question.delete and (rows := query.left_out(path)):
        print(f"{prose.count(rows, 'row')} {'was' if rows == 1 else 'were'} left out, as damaged.", file=says)
    if question.delete:
        print(_sentence(query.delete(path)), file=says)
    return 0


def _check_outputs(question: Question, inputs: list[Path | None]) -> None:
    """Refuse to overwrite the story or the settings, or to write two outputs to one file."""
    refuse_standard(question.picture)
    outputs = [output for output in (question.picture, question.table) if output and output != STANDARD]
    for output in outputs:
        command.refuse_overwriting(output, inputs)
    if len({output.resolve() for output in outputs}) < len(outputs):
        raise BadInput(f"{outputs[0]} cannot be both the picture and the table: choose another file")


def _tell(state: Path, requested: str | None, picture: Path | None, says: TextIO) -> None:
    """Print a day, and draw it. Raises BadInput if there is nothing to draw.

    Args:
        state: the state folder.
        requested: the day; None is that of the last session.
        picture: file for the picture, if it is to be drawn.
        says: where the sentences go.
    """
    path = state / FILE
    days = [query.day_of(session) for session in query.sessions(path)]
    day = requested or (days[-1] if days else query.UNDATED)
    if day in days:
        sessions = query.of_day(path, day)
        rule, first = fading_rule(store.active(state).profile), Wishes(state / "wearer.json").answered_first
        for line in (*prose.lines(day, sessions), prose.fading(rule, first)):
            print(line, file=says)
        if picture:
            from cuelens.story.chart import draw

            write_whole(picture, draw(day, sessions, rule, first))
            print(f"the day as a picture: {picture}", file=says)
    elif not picture:
        _tell_of_nothing(path, day, days, says)
    if others := sorted(set(days) - {day}):
        print(f"Other days (--day): {', '.join(others)}", file=says)
    if picture and day not in days:
        why = f"no session of day {day} is kept" if days else f"there is no session to draw yet in {path}"
        raise BadInput(f"{picture} was not drawn: {why}")


def _tell_of_nothing(path: Path, day: str, days: list[str], says: TextIO) -> None:
    if days:
        print(f"{prose.title(day)}: no session is kept.", file=says)
    elif not query.left_out(path):
        print(f"There is no story yet: it begins with the first session, and is kept in {path}.", file=says)


def _sentence(deletion: query.Deletion) -> str:
    """Return a sentence about a deletion."""
    if deletion == query.Deletion(0, 0, 0):
        return "There was nothing to delete."
    files = ""
    if deletion.unread:
        files = f", and {prose.count(deletion.unread, 'unreadable file')} with all that stood in it"
    return f"Deleted for good: {prose.count(deletion.sessions, 'session')} with {deletion.entries} events{files}."
