"""`cuelens story`: a day in words, as a picture, everything as CSV, or everything deleted.

That there is no story yet, or none of a day, is said and is no error; that such a day cannot be drawn is one.
"""

from dataclasses import dataclass
from pathlib import Path

from cuelens import settings
from cuelens.profile import store
from cuelens.profile.rules import fading_rule
from cuelens.runtime.wishes import Wishes
from cuelens.story import prose, query
from cuelens.story.store import FILE, files_of
from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line said. day: YYYY-MM-DD or `unknown`; without one, that of the last session."""

    config: Path | None = None
    day: str | None = None
    picture: Path | None = None
    table: Path | None = None
    delete: bool = False


def story(question: Question) -> int:
    """Answer: tell the day, draw it, export everything, delete everything, in this order. Returns 0.

    The day is not told where everything is only to be exported or deleted.
    """
    config = question.config or settings.usual_path()
    state = settings.read(config).state_dir()
    path = state / FILE
    _check_outputs(question, [config, *files_of(path)])
    if question.day or question.picture or not (question.table or question.delete):
        _tell(state, question.day, question.picture)
    if question.table:
        write_whole(question.table, query.as_csv(path).encode())
        print(f"the whole story as a table: {question.table}")
    if question.delete:
        print(_deleted(query.delete(path)))
    return 0


def _check_outputs(question: Question, inputs: list[Path | None]) -> None:
    """Refuse to write over the story itself, or two things into one file."""
    given = [output for output in (question.picture, question.table) if output]
    for output in given:
        command.refuse_overwriting(output, inputs)
    if len({output.resolve() for output in given}) < len(given):
        raise BadInput(f"{given[0]} cannot be both the picture and the table: choose another file")


def _tell(state: Path, wanted: str | None, picture: Path | None) -> None:
    """Print a day, and draw it if that is wanted. Raises BadInput if there is nothing to draw."""
    path = state / FILE
    days = [query.day_of(session) for session in query.sessions(path)]
    day = wanted or (days[-1] if days else query.UNDATED)
    if day in days:
        sessions = query.of_day(path, day)
        rule, first = fading_rule(store.active(state).profile), Wishes(state / "wearer.json").answered_first
        for line in (*prose.lines(day, sessions), prose.fading(rule, first)):
            print(line)
        if picture:
            from cuelens.story.chart import draw

            write_whole(picture, draw(day, sessions, rule, first))
            print(f"the day as a picture: {picture}")
    elif days:
        print(f"{prose.title(day)}: no session is kept.")
    else:
        print(f"There is no story yet: it begins with the first session, and is kept in {path}.")
    if others := sorted(set(days) - {day}):
        print(f"Other days (--day): {', '.join(others)}")
    if picture and day not in days:
        raise BadInput(f"{picture} was not drawn: there is no session to draw")


def _deleted(gone: query.Deleted) -> str:
    """Return a deletion in a sentence."""
    if gone == query.Deleted(0, 0, 0):
        return "There was nothing to delete."
    damaged = f", and {prose.count(gone.unread, 'damaged file')} with all that stood in it" if gone.unread else ""
    return f"Deleted for good: {prose.count(gone.sessions, 'session')} with {gone.entries} events{damaged}."
