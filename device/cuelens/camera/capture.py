"""Capture: the latest frame of a camera, on a thread that recovers from a stall and detects a hang."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final, Protocol

import msgspec

from cuelens.camera.frame_buffers import is_picture
from cuelens.frame import Frame
from cuelens.mailbox import Latest
from cuelens.ports import FrameSource
from cuelens_models.errors import AbsentDevice, CameraLost

RUNNING: Final = "running"
NO_CAMERA: Final = "no camera"
STALLED: Final = "camera stalled"
PAUSED: Final = "paused"
ODD: Final = "odd frame"
_OLD_S: Final = 1.0
"""Age from which a camera's frame is dropped: this process was stopped, and the driver's buffers are of before."""
_MOST_OLD: Final = 8
"""Old frames in a row that are dropped, twice the buffers of a driver. After them, the camera's own clock is wrong."""
_LATE_S: Final = 0.5
"""So much later than its deadline, a wait shows that this process was stopped."""


class Deadlines(msgspec.Struct, frozen=True):
    """How long each call to a camera may take, in seconds.

    Attributes:
        capture_s: until a frame arrives. After it the source raises TimeoutError, and the camera counts as stalled.
        hung_s: until a capture returns or raises. After it the camera counts as lost.
        open_s: until the camera is open for the first time, driver included.
        reopen_s: until it is open again.
        close_s: until it is closed.
        retry_s: between two attempts to open an absent camera, at most. The first waits for a tenth of it, and each
            further one for twice as long as the one before: a loose cable is short, an empty socket is not.
        stall_window_s: after a second stall within this time the camera counts as lost.
    """

    capture_s: float = 2.0
    hung_s: float = 4.0
    open_s: float = 15.0
    reopen_s: float = 5.0
    close_s: float = 5.0
    retry_s: float = 10.0
    stall_window_s: float = 60.0


class _End(Enum):
    """Why the frames of a source ended."""

    FINISHED = auto()
    STALLED = auto()
    PAUSED = auto()


class Feed(Protocol):
    """The frames of a run, as the beat takes them."""

    received: int
    state: str

    def next(self, timeout_s: float) -> Frame | None:
        """Return a frame; None after the last. Raises TimeoutError if none came, CameraLost if none will come."""

    def dropped(self) -> int:
        """Return the number of frames that were never taken, or were no pictures."""

    def pause(self, *, on: bool) -> None:
        """Stop taking frames, or go on. Any thread may call it; returns at once."""

    def close(self) -> None:
        """Stop for good, within the deadline of a capture."""


_USUAL: Final = Deadlines()


class CaptureThread:
    """A feed of the latest frame of a camera, captured on a thread of its own.

    After a timeout the camera is closed and reopened. A second timeout within a minute, or a call that never returns,
    raises CameraLost: only a new process helps then. After a failed read comes a second try, and then the camera counts
    as absent. An absent camera is retried after a second, then ever more rarely, if `patient`. A frame that is no
    picture is dropped. A pause closes a camera. A file goes on during a pause, and the caller drops its frames.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        fault: Callable[[str, str], None],
        *,
        first: FrameSource | None = None,
        patient: bool = False,
        paused: bool = False,
        is_file: bool = False,
        deadlines: Deadlines = _USUAL,
    ) -> None:
        """Get ready to capture.

        Args:
            open_source: opens the source; called on the capture thread.
            fault: called with the name of a fault and a sentence about it, on the capture thread.
            first: a source that is open already. The capture thread closes it.
            patient: wait for an absent camera, instead of raising AbsentDevice.
            paused: begin paused.
            is_file: the source is a file. It is not closed during a pause, and a capture may take any time.
            deadlines: how long each call may take.
        """
        self.received = 0
        self.state = RUNNING
        self._open_source = open_source
        self._fault = fault
        self._first = first
        self._patient = patient
        self._is_file = is_file
        self._deadlines = deadlines
        self._running = threading.Event()
        if is_file or not paused:
            self._running.set()
        self._wake = threading.Event()
        self._mailbox: Latest[Frame] = Latest()
        self._failed = 0
        self._odd = 0
        self._old = 0
        self._old_in_a_row = 0
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._due_s = math.inf
        self._thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        self._starting = threading.Lock()

    def next(self, timeout_s: float) -> Frame | None:
        """Return the latest frame, once; after the last one return None, or raise the error that ended the capture.

        The first call starts the capture, so that no frame ages while the run is still being set up.
        """
        self.start()
        began_s = time.monotonic()
        try:
            return self._take(began_s + timeout_s)
        except EOFError:
            if self._error:
                raise self._error from None
            return None
        except TimeoutError:
            now_s = time.monotonic()
            # After a stop of this whole process, the call may be about to return.
            if now_s > self._due_s and now_s < began_s + timeout_s + _LATE_S:
                raise CameraLost("the camera hangs in a call that does not return; a restart is needed") from None
            raise

    def dropped(self) -> int:
        """Return the number of frames that newer ones overwrote, were no pictures or too old, or failed to be read."""
        return self._mailbox.overwritten + self._odd + self._old + self._failed

    def pause(self, *, on: bool) -> None:
        """Close the camera, or open it again, on the capture thread. A file is not paused."""
        if on and not self._is_file:
            self._running.clear()
        else:
            self._running.set()
        self._wake.set()

    def close(self) -> None:
        """Stop the capture, and wait for a running one until its deadline. A hanging camera is left behind."""
        self._stopping.set()
        self._running.set()
        self._wake.set()
        self.start()
        hangs = time.monotonic() > self._due_s
        self._thread.join(0.5 if hangs or self._is_file else self._deadlines.capture_s + 0.5)

    def start(self) -> None:
        """Start the capture thread, unless it has started."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    def _take(self, end_s: float) -> Frame:
        """Take the latest frame of the mailbox, but none of a camera that shows what was long ago."""
        while True:
            frame = self._mailbox.take(max(0.0, end_s - time.monotonic()))
            if self._is_file or time.monotonic() - frame.exposed_ns / 1e9 < _OLD_S:
                self._old_in_a_row = 0
                return frame
            if self._old_in_a_row == _MOST_OLD:
                return frame
            self._old_in_a_row += 1
            self._old += 1

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Set a deadline for this block. `next` raises CameraLost once it has passed."""
        self._due_s = time.monotonic() + seconds
        try:
            yield
        finally:
            self._due_s = math.inf

    def _capture(self) -> None:
        """Run the capture thread: open, pump, recover. `next` raises the error that ends it."""
        stalled_s, retry_s = -math.inf, 0.0
        try:
            while not self._stopping.is_set():
                # Cleared before the flags are read: a pause or a stop that comes later cuts the wait for a retry short.
                self._wake.clear()
                if self._stopping.is_set() or not self._running.is_set():
                    self._rest()
                    continue
                try:
                    end = self._pump(self._open())
                except AbsentDevice as error:
                    if not self._patient:
                        raise
                    most_s = self._deadlines.retry_s
                    retry_s = min(2 * retry_s, most_s) if self.state == NO_CAMERA else most_s / 10
                    self._become(NO_CAMERA, str(error))
                    self._wake.wait(retry_s)
                    continue
                if end is _End.PAUSED:
                    continue
                if end is not _End.STALLED:
                    break
                self._become(STALLED, f"no frame within {self._deadlines.capture_s:.0f} s")
                if time.monotonic() - stalled_s < self._deadlines.stall_window_s:
                    raise CameraLost("the camera stalled twice within a minute; a restart is needed")
                stalled_s = time.monotonic()
        except TimeoutError as error:
            # Of opening or closing, since reading handles its own. From `next` it would mean "no frame yet".
            self._error = CameraLost(f"the camera could not be opened or closed: {error}; a restart is needed")
        except Exception as error:
            # `next` raises it on its caller's thread.
            self._error = error
        finally:
            self._close_first()
            self._mailbox.close()

    def _open(self) -> FrameSource:
        source, self._first = self._first, None
        if source is None:
            with self._within(self._deadlines.reopen_s if self.received else self._deadlines.open_s):
                source = self._open_source()
        return source

    def _rest(self) -> None:
        """Wait for the end of a pause, with no camera open."""
        self.state = PAUSED
        self._close_first()
        self._running.wait()
        self.state = RUNNING

    def _close_first(self) -> None:
        """Close the first source, unless frames were read from it."""
        source, self._first = self._first, None
        if source:
            with self._within(self._deadlines.close_s):
                source.close()

    def _pump(self, source: FrameSource) -> _End:
        """Put frames into the mailbox until none comes, then close the source. Returns why they ended."""
        picture_s = time.monotonic()
        try:
            while not self._stopping.is_set():
                if not self._running.is_set():
                    self.state = PAUSED
                    return _End.PAUSED
                frame = self._read_twice(source)
                if frame is None:
                    break
                if not is_picture(frame.grey):
                    self._drop(frame)
                    if time.monotonic() - picture_s > self._deadlines.capture_s and not self._is_file:
                        return _End.STALLED
                    continue
                picture_s = time.monotonic()
                self.state = RUNNING
                self.received += 1
                self._mailbox.put(frame)
            return _End.FINISHED
        except TimeoutError:
            return _End.STALLED
        finally:
            with self._within(self._deadlines.close_s):
                source.close()

    def _read_twice(self, source: FrameSource) -> Frame | None:
        """Return the next frame, None after the last one. The read is tried once more if it fails."""
        try:
            return self._read(source)
        except AbsentDevice:
            self._failed += 1
            return self._read(source)

    def _read(self, source: FrameSource) -> Frame | None:
        with self._within(math.inf if self._is_file else self._deadlines.hung_s):
            return source.read(self._deadlines.capture_s)

    def _drop(self, frame: Frame) -> None:
        """Count a frame that is no picture. The first one is a fault."""
        if not self._odd:
            shape = "x".join(map(str, frame.grey.shape))
            self._fault(
                ODD, f"a frame of {shape} {frame.grey.dtype} is no picture; such frames are dropped and counted"
            )
        self._odd += 1

    def _become(self, state: str, detail: str) -> None:
        if self.state != state:
            self.state = state
            self._fault(state, detail)
