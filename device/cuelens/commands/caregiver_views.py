"""What a caregiver's page is told: pictures, happenings and the story as messages of the link."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from cuelens.health import board, words
from cuelens.health.health import Health
from cuelens.health.safe_mode import Begun
from cuelens.link import replies
from cuelens.link.replies import Picture, SeenFace
from cuelens.runtime.calibration import View, light_of
from cuelens.runtime.loop import Counts
from cuelens.runtime.recent import Happening
from cuelens.story import query
from cuelens.story.store import Session
from cuelens.types import Box
from cuelens_models.version import __version__

_FAR: Final = 0.1
"""Side of a face, in widths of the frame, below which it is far: 64 pixels of 640, at 1.25 m."""
_NEAR: Final = 0.42
"""Side above which it is too near: a quarter of it is out of view when the head moves."""
_PIECE: Final = 200_000
"""Characters of a piece of the story's table."""
_STORY_BYTES: Final = 800_000


def picture(view: View) -> Picture:
    """Return what the camera sees as a message."""
    height, width = view.grey.shape
    return Picture(
        jpeg=view.jpeg(),
        number=view.number,
        faces=tuple(_seen(face.box, face.tilt, view.scale / width, view.scale / height) for face in view.faces),
        light=light_of(view),
        distance=_distance(view),
    )


def happenings(recent: Sequence[Happening]) -> tuple[replies.Happening, ...]:
    """Return what happened lately, with the seconds since."""
    now_s = time.monotonic()
    return tuple(
        replies.Happening(number=one.number, kind=one.kind, word=one.word, ago_s=round(max(now_s - one.s, 0.0), 2))
        for one in recent
    )


def health(health: Health, counts: Counts, begun: Begun, *, title: str, profile: str, mode: str) -> replies.Health:
    """Return how the glasses are as a message.

    Args:
        health: of the run.
        counts: of the loop.
        begun: the start of the run.
        title: of the bundle.
        profile: name of the active one.
        mode: of the profile in force.
    """
    last, state = health.state, health.state_name(counts.beats)
    return replies.Health(
        program=__version__,
        title=title,
        profile=profile,
        mode=mode,
        state=state,
        words=words.STATES.get(state, ""),
        up_s=round(health.age_s(health.began_s), 1),
        starts=begun.starts,
        taken_back=begun.taken_back,
        camera_fps=last.camera_fps if last else _rate(counts.frames, counts.t),
        beat_fps=last.beat_fps if last else _rate(counts.beats, counts.t),
        frames=counts.frames,
        beats=counts.beats,
        dropped=counts.dropped,
        skipped=counts.skipped,
        frame_age_ms_p95=last.frame_age_ms_p95 if last else None,
        cues=dict(health.cues),
        temperature_c=board.temperature_c(),
        under_voltage=board.under_voltage(),
        memory_mb=round(board.resident_mb()[0], 1),
        faults=tuple(
            replies.Reported(
                fault=one.fault,
                level=words.level(one.fault),
                words=words.FAULTS[one.fault].words if one.fault in words.FAULTS else "",
                detail=one.detail,
                times=one.times,
                ago_s=round(health.age_s(one.s), 1),
            )
            for one in health.faults()
        ),
    )


def _rate(count: int, t: float) -> float:
    """Return how many of something there were a second, from the first one at zero to `t` seconds."""
    return round((count - 1) / t, 1) if count and t > 0 else 0.0


def story(path: Path) -> replies.Story:
    """Return the last day with a session. Raises BadInput, Unwritable.

    Of too long a day these are the last sessions, and of too long a last session the last entries.
    """
    sessions = query.sessions(path)
    if not sessions:
        return replies.Story(day="", sessions=(), more=0)
    day = query.day_of(sessions[-1])
    of_day = query.of_day(path, day)
    stored: list[replies.StoredSession] = []
    room = _STORY_BYTES
    for session in reversed(of_day):
        one = _stored(session)
        if not stored:
            one = _shortened(one, room)
        room -= len(msgspec.json.encode(one))
        if room < 0:
            break
        stored.insert(0, one)
    return replies.Story(day=day, sessions=tuple(stored), more=len(of_day) - len(stored))


def table(path: Path, offset: int) -> replies.Table:
    """Return a piece of the whole story as CSV. offset: in characters. Raises BadInput, Unwritable."""
    text = query.as_csv(path)
    piece = text[offset : offset + _PIECE]
    end = offset + len(piece)
    return replies.Table(text=piece, following=end if end < len(text) else None)


def _stored(session: Session) -> replies.StoredSession:
    in_view = [one.word for one in session.entries if one.kind == "in view" and one.word.isdecimal()]
    return replies.StoredSession(
        began=session.began,
        mode=session.mode,
        school=session.school,
        seconds=session.seconds,
        ended=session.ended,
        faces_s=float(in_view[-1]) if in_view else None,
        entries=tuple(
            replies.Entry(t=one.t, kind=one.kind, word=one.word, detail=one.detail, outputs=one.outputs)
            for one in session.entries
            if one.kind != "in view"
        ),
    )


def _shortened(session: replies.StoredSession, room: int) -> replies.StoredSession:
    """Return a session with its last entries, as many as fit into `room` bytes."""
    room -= len(msgspec.json.encode(msgspec.structs.replace(session, entries=())))
    first = len(session.entries)
    # A comma follows each entry but the last.
    while first and (room := room - len(msgspec.json.encode(session.entries[first - 1])) - 1) >= 0:
        first -= 1
    return msgspec.structs.replace(session, entries=session.entries[first:])


def _seen(box: Box, tilt: float, across: float, down: float) -> SeenFace:
    """Return a face in shares of the picture. across, down: shares for each pixel of the frame."""
    x, y, width, height = box
    return SeenFace(
        left=round(x * across, 4),
        top=round(y * down, 4),
        width=round(width * across, 4),
        height=round(height * down, 4),
        tilt=round(tilt, 1),
    )


def _distance(view: View) -> Literal["none", "too near", "good", "far"]:
    """Return the distance of the nearest face in a word."""
    if not view.faces:
        return "none"
    share = view.faces[0].box[2] * view.scale / view.grey.shape[1]
    return "too near" if share > _NEAR else "far" if share < _FAR else "good"
