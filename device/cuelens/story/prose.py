"""A day of the story as text for families."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from cuelens.cues.fading import FadingRule, faded
from cuelens.profile.wording import looks
from cuelens.story.query import UNDATED
from cuelens.story.store import Entry, Session
from cuelens_models.bundle.expressions import UNSURE

_ENDED: Final = {
    "time": "its time was over",
    "stopped": "stopped",
    "calibration": "for a calibration",
    "camera lost": "the camera was lost",
    "": "ended",
    None: "cut off, or still on",
}
_GESTURES: Final = {
    "ask": "to ask",
    "pause": "to pause",
    "mute": "to mute",
    "unmute": "to end a mute",
    "calibrate": "to calibrate",
    "again": "to begin again",
}
_CUE_COLUMN: Final = 20
_NO_FACE: Final = ("nobody", "face", "guess")


def title(day: str) -> str:
    """Return a day as a heading: "Thursday 8 October 2026"."""
    if day == UNDATED:
        return "An unknown day, as the clock was not set"
    on = date.fromisoformat(day)
    return f"{on:%A} {on.day} {on:%B %Y}"


def length(seconds: float) -> str:
    """Return a duration as text: "45 s", "18 min", "1 h 05 min"."""
    minutes = round(seconds / 60)
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def count(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun: "1 session", "3 sessions". things: the plural, if irregular."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def label(session: Session) -> str:
    """Return a session's label: the time when it began (without a date, its number in the file), and its mode."""
    return "  ".join(_began_and_mode(session))


def _began_and_mode(session: Session) -> tuple[str, str]:
    began = session.began[11:16] if session.began else f"no. {session.id}"
    return began, f"{session.mode}{' (school)' if session.school else ''}"


def spans(session: Session, kind: str) -> list[tuple[float, float]]:
    """Return when a session was muted (kind "mute") or paused ("pause"): intervals in seconds since it began."""
    intervals = []
    since: float | None = None
    for entry in session.entries:
        if entry.kind != kind:
            continue
        if entry.word == "on" and since is None:
            since = entry.t
        elif entry.word == "off" and since is not None:
            intervals.append((since, entry.t))
            since = None
    if since is not None:
        intervals.append((since, max(session.seconds, since)))
    return intervals


def not_sure(entries: Iterable[Entry]) -> tuple[int, int]:
    """Return how many outcomes were `unsure`, and how many outcomes there were.

    An outcome is an unasked cue of an expression, an answer about a face, or a settled expression that became unsure.
    """
    outcomes = [
        entry.word
        for entry in entries
        if entry.kind == "unsure"
        or (entry.kind == "cue" and entry.detail in ("expression", "answer") and entry.word not in _NO_FACE)
    ]
    return outcomes.count(UNSURE), len(outcomes)


def fading(rule: FadingRule, first: tuple[bool, ...]) -> str:
    """Describe the wearer's point on the fading curve in one or two sentences."""
    if not rule.on:
        return "Fading is off: cues come at once, and always."
    now, seen = faded(first, rule), len(first[-rule.answers :])
    answered = f"Of the last {count(seen, 'guess', 'guesses')}, {sum(first[-rule.answers :])} were answered first"
    if not now.level:
        return f"{answered}: cues come at once, and always." if seen else "Nothing was guessed yet: cues come at once."
    often = "always" if now.every == 1 else f"for one expression in {now.every}"
    return f"{answered}: cues come {now.delay_s:.1f} s later, and {often}."


def lines(day: str, sessions: Sequence[Session]) -> list[str]:
    """Return the lines that describe a day: its sessions, their cues, and the wearer's presses, mutes and pauses."""
    entries = [entry for session in sessions for entry in session.entries]
    whole = length(sum(session.seconds for session in sessions))
    text = [f"{title(day)}: {count(len(sessions), 'session')}, {whole} in all", ""]
    text += _table(
        ("began", "length", "mode", "how it ended"),
        [_session_row(session) for session in sessions],
        numbers=(1,),
    )
    cues = [entry for entry in entries if entry.kind == "cue"]
    text += _cue_table("told unasked", [cue for cue in cues if cue.detail != "answer"])
    text += _cue_table("answered, when asked", [cue for cue in cues if cue.detail == "answer"])
    if not cues:
        text += ["", "No cue was given."]
    return [*text, "", *_sentences(sessions, entries)]


def _session_row(session: Session) -> tuple[str, ...]:
    began, mode = _began_and_mode(session)
    modes = [entry.word for entry in session.entries if entry.kind == "mode"]
    return (
        began,
        length(session.seconds),
        ", then ".join([mode, *modes]),
        _ENDED.get(session.ended, session.ended or ""),
    )


def _cue_table(heading: str, cues: Sequence[Entry]) -> list[str]:
    """Return the counts of cues by word, most frequent first, with the counts of each output."""
    if not cues:
        return []
    rows = []
    for word, count in Counter(cue.word for cue in cues).most_common():
        by = Counter(output for cue in cues if cue.word == word for output in cue.outputs)
        rows.append((looks(word), str(count), str(by["light"]), str(by["voice"])))
    return ["", *_table((heading.ljust(_CUE_COLUMN), "times", "by light", "by voice"), rows, numbers=(1, 2, 3))]


def _sentences(sessions: Sequence[Session], entries: Sequence[Entry]) -> list[str]:
    presses = Counter(entry.word for entry in entries if entry.kind == "press")
    which = ", ".join(f"{times} {_GESTURES.get(gesture, gesture)}" for gesture, times in presses.most_common())
    sentences = [_often("The button was", "pressed", presses.total(), f": {which}")]
    for kind, subject, verb in (("mute", "Cues were", "muted"), ("pause", "The camera was", "paused")):
        durations = [end - begin for session in sessions for begin, end in spans(session, kind)]
        sentences.append(_often(subject, verb, len(durations), f", {length(sum(durations))} in all"))
    if in_view_s := sum(int(entry.word) for entry in entries if entry.kind == "in view"):
        sentences.append(f"A face was in view for {length(in_view_s)}.")
    unsure, times = not_sure(entries)
    if times:
        sentences.append(f"Not sure of an expression: {unsure} of {count(times, 'time')} ({unsure / times:.0%}).")
    return sentences


def _often(subject: str, verb: str, times: int, more: str) -> str:
    """Return a frequency as a sentence: "Cues were muted twice, 3 min in all."."""
    if not times:
        return f"{subject} never {verb}."
    return f"{subject} {verb} {('once', 'twice')[times - 1] if times < 3 else f'{times} times'}{more}."


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[str]:
    """Return a table as lines, with columns two spaces apart. numbers: the indices of right-aligned columns."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    ]
