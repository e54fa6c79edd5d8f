"""What may be asked of running glasses (docs/link.md)."""

from typing import Annotated, Final, Literal

import msgspec

from cuelens.link.message import Message

LONGEST_WORD: Final = 40
"""Of a cue to try, in characters."""
Gesture = Literal["ask", "mute", "pause", "calibrate"]
Shown = Literal["neutral", "happy", "surprise", "sad"]
"""What a family member shows on request."""
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_WORD)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[\w-]{1,60}\Z")]
"""Of a profile: a file's name without its suffix."""


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """Answer, and do nothing."""


class Press(Message, frozen=True, kw_only=True, tag="press"):
    """Do what a gesture of the wearer's button does. mute and pause alternate with their opposite."""

    gesture: Gesture


class Try(Message, frozen=True, kw_only=True, tag="try"):
    """Give one cue. word: an expression, or another word that the glasses can tell."""

    word: Word


class Reload(Message, frozen=True, kw_only=True, tag="reload"):
    """Read the profile again, and put it into force."""


class Calibrate(Message, frozen=True, kw_only=True, tag="calibrate"):
    """Begin the calibration, or let it last: it ends `LEASE_S` after the last of these messages.

    cues: whether cues come meanwhile, as they would without a calibration. Without it none comes but those of `Try`.
    """

    cues: bool = False


class Leave(Message, frozen=True, kw_only=True, tag="leave"):
    """End the calibration. A draft that was not saved is kept, and no longer in force.

    then: a new session, or rest until a press. minutes: length of that session alone; None for the profile's.
    """

    then: Literal["session", "rest"] = "session"
    minutes: Annotated[int, msgspec.Meta(ge=1, le=240)] | None = None


class TellCode(Message, frozen=True, kw_only=True, tag="tell code"):
    """Tell a pairing code: as many blinks as each digit says, and by voice if sound is on. In 20 s at most."""

    digits: Annotated[str, msgspec.Meta(pattern=r"^[1-6]{6}\Z")]


class Watch(Message, frozen=True, kw_only=True, tag="watch"):
    """Return the state of the glasses. since: number of the last happening that is known."""

    since: Annotated[int, msgspec.Meta(ge=0)] = 0


class AskHealth(Message, frozen=True, kw_only=True, tag="health"):
    """Return how the glasses are: state, rates, temperature, and every fault that was reported."""


class Look(Message, frozen=True, kw_only=True, tag="look"):
    """Return what the camera sees, during a calibration."""


class ReadProfile(Message, frozen=True, kw_only=True, tag="read profile"):
    """Return the profile in force, and the names of the others."""


class Draft(Message, frozen=True, kw_only=True, tag="draft"):
    """Put a profile into force until it is saved or discarded. It survives a restart as a draft."""

    profile: msgspec.Raw


class TakeUpDraft(Message, frozen=True, kw_only=True, tag="take up draft"):
    """Put the draft of an earlier calibration into force."""


class Save(Message, frozen=True, kw_only=True, tag="save"):
    """Make the draft the active profile. The one that it replaces is kept beside it."""


class Discard(Message, frozen=True, kw_only=True, tag="discard"):
    """Drop the draft. The active profile is in force again."""


class Choose(Message, frozen=True, kw_only=True, tag="choose"):
    """Make another profile the active one. The draft is dropped."""

    name: Name


class Create(Message, frozen=True, kw_only=True, tag="create"):
    """Make a profile that is a copy of the active one, under a new name, the active one."""

    name: Name


class Remove(Message, frozen=True, kw_only=True, tag="remove"):
    """Delete a profile that is not the active one."""

    name: Name


class FactoryReset(Message, frozen=True, kw_only=True, tag="factory reset"):
    """Delete all profiles, recordings, statistics and the story. The factory profile is in force."""


class Record(Message, frozen=True, kw_only=True, tag="record"):
    """Store a recording for the phrase of a word, and use it in the draft. wav: a WAV file, 16 bits; empty: none."""

    word: Word
    wav: bytes


class Collect(Message, frozen=True, kw_only=True, tag="collect"):
    """Collect readings of the face in view, which shows an expression on request. It replaces earlier ones of it."""

    shown: Shown


class StopCollecting(Message, frozen=True, kw_only=True, tag="stop collecting"):
    """Collect no more. drop: forget what was collected, of all expressions."""

    drop: bool = False


class Correct(Message, frozen=True, kw_only=True, tag="correct"):
    """Work out a correction from what was collected. If it helps it comes into the draft."""


class ReadStory(Message, frozen=True, kw_only=True, tag="read story"):
    """Return the sessions of the last day."""


class ReadTable(Message, frozen=True, kw_only=True, tag="read table"):
    """Return a piece of the whole story as CSV. offset: in characters."""

    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class ForgetStory(Message, frozen=True, kw_only=True, tag="forget story"):
    """Delete the story."""


Request = (
    Press
    | Try
    | Reload
    | Calibrate
    | Leave
    | TellCode
    | Watch
    | AskHealth
    | Look
    | ReadProfile
    | Draft
    | TakeUpDraft
    | Save
    | Discard
    | Choose
    | Create
    | Remove
    | FactoryReset
    | Record
    | Collect
    | StopCollecting
    | Correct
    | ReadStory
    | ReadTable
    | ForgetStory
)
