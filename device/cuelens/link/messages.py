"""The messages of the link as lines of JSON: encoding, decoding and receiving."""

import socket
import time
from typing import Final, TypeVar

import msgspec

from cuelens.link.message import VERSION, Message
from cuelens.link.replies import Reply
from cuelens.link.requests import Hello, Request
from cuelens_models.errors import BadInput

MOST_BYTES: Final = 1 << 20
"""Longest message, in bytes, with its end of line: a recording of ten seconds fits."""
_PIECE_BYTES: Final = 65_536
T = TypeVar("T")
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
    line, searched = bytearray(), 0
    while (end := line.find(b"\n", searched)) < 0:
        searched = len(line)
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
