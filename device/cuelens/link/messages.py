"""The messages of the link: what may be asked of running glasses, and their answers. Each is one line of JSON."""

import socket
import time
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import StrictStruct

VERSION: Final = 1
"""Version of the protocol. Both sides must speak the same."""
LONGEST_WORD: Final = 40
"""Of a cue to try, in characters."""
MOST_BYTES: Final = 65_536
"""Longest message, in bytes, with its end of line."""
_PIECE_BYTES: Final = 4096
Gesture = Literal["ask", "mute", "pause", "calibrate"]
T = TypeVar("T")


class Message(StrictStruct, frozen=True, kw_only=True, tag_field="message"):
    """The base class of messages."""

    version: int = VERSION


class Press(Message, frozen=True, kw_only=True, tag="press"):
    """Do what a gesture of the wearer's button does. mute and pause alternate with their opposite."""

    gesture: Gesture


class Try(Message, frozen=True, kw_only=True, tag="try"):
    """Give one cue. word: an expression, or another word that the glasses can tell."""

    word: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_WORD)]


class Reload(Message, frozen=True, kw_only=True, tag="reload"):
    """Read the profile again, and put it into force."""


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """Answer, and do nothing."""


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """It was done. text: a sentence about it."""

    text: str


class Refused(Message, frozen=True, kw_only=True, tag="refused"):
    """It was not done. text: a sentence: why, and what to do."""

    text: str


Request = Press | Try | Reload
Reply = Done | Refused
_REQUESTS: Final[msgspec.json.Decoder[Request | Hello]] = msgspec.json.Decoder(Request | Hello)
_REPLIES: Final[msgspec.json.Decoder[Reply]] = msgspec.json.Decoder(Reply)


class _Envelope(msgspec.Struct):
    """What every version of the protocol has."""

    version: int


def encode(message: Message) -> bytes:
    """Return a message as a line, with its end. Raises BadInput if a text of it is none."""
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError as error:
        raise BadInput("what was typed is no text in UTF-8: type it again") from error


def request(line: bytes) -> Request | Hello:
    """Return the request in a line. Raises BadInput."""
    return _decode(line, _REQUESTS)


def reply(line: bytes) -> Reply:
    """Return the reply in a line. Raises BadInput."""
    return _decode(line, _REPLIES)


def _decode(line: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    try:
        version = msgspec.json.decode(line, type=_Envelope).version
        if version != VERSION:
            raise BadInput(
                f"the message has version {version} of the protocol, and version {VERSION} is spoken here:"
                " use the same version of cuelens on both sides"
            )
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadInput(f"the message is not understood: {error}") from error


def receive(connection: socket.socket, deadline_s: float) -> bytes:
    """Return one line, without its end.

    connection: of AF_UNIX. deadline_s: on `time.monotonic`, for the whole line however slowly it comes. Raises
    TimeoutError after it, BadInput if the line is too long or has no end, OSError if the connection fails.
    """
    line = bytearray()
    while (end := line.find(b"\n")) < 0:
        if len(line) >= MOST_BYTES:
            raise BadInput(f"the message is too long: expected at most {MOST_BYTES} bytes")
        rest_s = deadline_s - time.monotonic()
        if rest_s <= 0:
            raise TimeoutError("the message did not come in time")
        connection.settimeout(rest_s)
        piece = connection.recv(min(_PIECE_BYTES, MOST_BYTES - len(line)))
        if not piece:
            raise BadInput("the connection ended within a message: a message ends with a line feed")
        line += piece
    return bytes(line[:end])
