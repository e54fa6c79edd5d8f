"""The side of a command: asks running glasses for something, and returns their answer."""

import contextlib
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cuelens.link import messages
from cuelens.link.replies import Done, Refused, Reply
from cuelens.link.requests import Hello, Request
from cuelens_models.errors import AbsentDevice, BadInput

ANSWER_S: Final = 15.0
"""Deadline of a request. A new profile may have recordings, which are read first."""
HELLO_S: Final = 5.0
"""Deadline of the first sign of life: glasses that are frozen never answer."""
_RETRY_S: Final = 0.05


class Silent(AbsentDevice):
    """Glasses that do not answer in time."""


def ask(request: Request, paths: Sequence[Path], *, answer_s: float = ANSWER_S) -> str:
    """Do an `exchange` whose answer is a sentence. Returns the sentence."""
    reply = exchange(request, paths, answer_s=answer_s)
    if not isinstance(reply, Done):
        raise BadInput(f"the glasses answered with {type(reply).__name__} in place of a sentence")
    return reply.text


def exchange(request: Request, paths: Sequence[Path], *, answer_s: float = ANSWER_S) -> Reply:
    """Ask the first glasses that listen at one of some paths. Returns their reply.

    Args:
        request: what to ask for.
        paths: of sockets, the first choice first.
        answer_s: deadline in seconds.

    Raises AbsentDevice if no glasses are running or may be reached, Silent if they do not answer in time, BadInput if
    they refuse.
    """
    # Its refusal, by glasses of an earlier version, is a sign of life too.
    _reply(Hello(), paths, min(answer_s, HELLO_S))
    reply = _reply(request, paths, answer_s)
    if isinstance(reply, Refused):
        raise BadInput(reply.text)
    return reply


def _reply(request: Request | Hello, paths: Sequence[Path], answer_s: float) -> Reply:
    """Do one exchange with the first glasses that listen at one of some paths."""
    deadline_s = time.monotonic() + answer_s
    forbidden = None
    for path in paths:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                _connect(connection, path, deadline_s)
            except PermissionError:
                forbidden = path
                continue
            except TimeoutError as error:
                raise _silent(path) from error
            except OSError:
                # Nothing is there, or only what dead glasses left.
                continue
            return _exchange(connection, request, path, deadline_s)
    if forbidden:
        raise AbsentDevice(
            f"the glasses at {forbidden} do not listen to this user: put `sudo -u cuelens` before the command"
        )
    raise AbsentDevice("no glasses are running: start them with `cuelens run`, or the service")


def _connect(connection: socket.socket, path: Path, deadline_s: float) -> None:
    """Connect. Raises TimeoutError at the deadline, other OSErrors if nobody listens there."""
    while (rest_s := deadline_s - time.monotonic()) > 0:
        connection.settimeout(rest_s)
        try:
            connection.connect(str(path))
        except BlockingIOError:
            # As many clients wait as may wait. The kernel says so at once instead of waiting.
            time.sleep(_RETRY_S)
        else:
            return
    raise TimeoutError(f"too many clients wait at {path}")


def _exchange(connection: socket.socket, request: Request | Hello, path: Path, deadline_s: float) -> Reply:
    try:
        with contextlib.suppress(BrokenPipeError):
            # Glasses that refuse this user answer before they have read anything.
            connection.sendall(messages.encode(request))
        return messages.reply(messages.receive(connection, deadline_s))
    except TimeoutError as error:
        raise _silent(path) from error
    except OSError as error:
        raise AbsentDevice(f"the glasses at {path} ended before they answered: {error.strerror}") from error


def _silent(path: Path) -> Silent:
    return Silent(f"the glasses at {path} do not answer: see `journalctl -u cuelens`, or start them again")
