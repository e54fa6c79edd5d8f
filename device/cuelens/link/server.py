"""The side of the glasses: a UNIX socket on threads of its own. No client delays a beat, and no beat a client for long.

Four threads take connections, so four clients are served at once, and a few more wait. A connection carries one request
and one reply. The kernel says who asks (SO_PEERCRED): the user of the glasses, root, or a member of the socket's group.
"""

import contextlib
import errno
import fcntl
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cuelens import ownership
from cuelens.link import http, messages
from cuelens.link.replies import Done, Refused, Reply
from cuelens.link.requests import Hello, Request
from cuelens_models.atomic_file import make_folder
from cuelens_models.errors import BadInput, Unwritable

_THREADS: Final = 4
_WAITING: Final = 8
"""Connections that may wait for a thread. For further ones the kernel lets the client wait."""
REQUEST_S: Final = 2.0
"""Deadline of a whole request."""
_REPLY_S: Final = 1.0
_PAUSE_S: Final = 0.5
"""Pause after a connection that could not be taken."""
_CLOSE_S: Final = 0.5
_MODE: Final = 0o660
_UNREADY: Final = ".new"
"""Suffix of a socket that does not listen yet. The system allows 107 bytes of a path: none longer than `.sock`."""
_PEER: Final = struct.Struct("3i")
_SO_PEERGROUPS: Final = 59
"""Of asm-generic/socket.h; Python has no name for it. The option's value is the list of the peer's further groups."""
_GROUPS_BYTES: Final = 1024
"""Python reads no longer option: 256 groups. Who is in more is known by user and first group only."""


class Server:
    """Answers requests until it is closed."""

    def __init__(
        self,
        path: Path,
        answer: Callable[[Request], Reply],
        metrics: Callable[[], str] = str,
        *,
        request_s: float = REQUEST_S,
    ) -> None:
        """Listen at a path. A socket that dead glasses left there is replaced.

        Args:
            path: of the socket. Its folder is made if it is missing.
            answer: called with each request, on the thread of its connection.
            metrics: returns what is told to who asks for it in HTTP, as Prometheus does.
            request_s: deadline of a request, in seconds from the connection.

        Raises Unwritable if other glasses listen there, or if the socket cannot be made.
        """
        self._path = path
        self._answer = answer
        self._metrics = metrics
        self._request_s = request_s
        self._user = os.geteuid()
        self._closing = threading.Event()
        made = ownership.missing(path.parent)
        self._made = bool(made)
        make_folder(path.parent)
        try:
            ownership.hand_over(*made)
            self._lock = _lock(path)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            self._listener = _listen(path)
            self._group = path.stat().st_gid
        except OSError as error:
            os.close(self._lock)
            raise _unwritable(path, error) from error
        self._threads = [threading.Thread(target=self._serve, name="link", daemon=True) for _ in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening, remove the socket, and wait for open connections, half a second at most."""
        self._closing.set()
        with contextlib.suppress(OSError):
            # It wakes the threads that wait for a connection; a close alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        if self._made:
            with contextlib.suppress(OSError):
                self._path.parent.rmdir()
        os.close(self._lock)
        end_s = time.monotonic() + _CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, end_s - time.monotonic()))

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                # The server closes, the client is gone already, or the process has no file descriptor left.
                self._closing.wait(_PAUSE_S)
                continue
            with connection, contextlib.suppress(OSError):
                reply = _line(self._reply(connection))
                connection.settimeout(_REPLY_S)
                connection.sendall(reply)

    def _reply(self, connection: socket.socket) -> Reply | bytes:
        """Read a request and return its answer. Raises OSError if the connection fails."""
        if not self._may_ask(connection):
            return Refused(text="this user may ask these glasses for nothing: be their user, or join their group")
        try:
            line = messages.receive(connection, time.monotonic() + self._request_s)
            request = None if http.asked(line) else messages.request(line)
        except TimeoutError:
            return Refused(text=f"the message did not come within {self._request_s:g} s")
        except BadInput as error:
            return Refused(text=str(error))
        if isinstance(request, Hello):
            return Done(text="the glasses are running")
        try:
            return http.answer(line, self._metrics) if request is None else self._answer(request)
        except Exception as error:
            # Catch everything: a dead thread would silently leave one place less.
            return Refused(text=f"a fault inside: {type(error).__name__}: {error}")

    def _may_ask(self, connection: socket.socket) -> bool:
        """Tell whether the user at the other end may ask. The mode of the socket says the same to the kernel."""
        _, user, group = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if user in (0, self._user) or group == self._group:
            return True
        try:
            groups = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
        except OSError:
            return False
        return self._group in memoryview(groups).cast("I")


def _line(reply: Reply | bytes) -> bytes:
    """Return a reply as it is sent. A refusal replaces one that holds a file's name that is no text."""
    try:
        return reply if isinstance(reply, bytes) else messages.encode(reply)
    except BadInput:
        return messages.encode(Refused(text="the answer has the name of a file that is not in UTF-8: rename the file"))


def _lock(path: Path) -> int:
    """Lock the folder of the socket, for as long as this process lives. Returns the open folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(folder)
        raise Unwritable(f"{path} is taken: other glasses of this user are running") from error
    except OSError:
        os.close(folder)
        raise
    return folder


def _listen(path: Path) -> socket.socket:
    """Return a socket that listens at a path. It appears there once it listens, so whoever sees it is answered."""
    unready = path.with_suffix(_UNREADY)
    for left in (path, unready):
        if left.is_socket():
            # Whoever made it is dead: a living process would hold the lock.
            left.unlink()
    if os.path.lexists(path):
        # Somebody else's.
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(unready))
        # Nobody can connect before the mode is right: it does not listen yet.
        unready.chmod(_MODE)
        listener.listen(_WAITING)
        unready.rename(path)
    except OSError:
        listener.close()
        raise
    return listener


def _unwritable(path: Path, error: OSError) -> Unwritable:
    return error if isinstance(error, Unwritable) else Unwritable(f"{path} cannot be made: {error.strerror or error}")
