"""Bringing frames to the beat: in order from a file, or the latest one from a camera that may stall, go or hang."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from cuelens.frame import Frame
from cuelens.mailbox import Latest
from cuelens.ports import FrameSource
from cuelens_models.errors import AbsentDevice, CameraLost

RUNNING: Final = "running"
NO_CAMERA: Final = "no camera"
STALLED: Final = "camera stalled"
PAUSED: Final = "paused"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each call to a camera may take, in seconds.

    Attributes:
        capture_s: until a frame. After it the source raises TimeoutError, and the camera counts as stalled.
        hung_s: until a capture returns in any way. After it the camera counts as lost.
        open_s: until the camera is open for the first time, with all that its driver loads.
        reopen_s: until it is open again.
        close_s: until it is closed.
        retry_s: between two looks for a camera that is absent.
        stall_window_s: a second stall within this time is a lost camera.
    """

    capture_s: float = 2.0
    hung_s: float = 4.0
    open_s: float = 15.0
    reopen_s: float = 5.0
    close_s: float = 5.0
    retry_s: float = 10.0
    stall_window_s: float = 60.0


class _End(Enum):
    """Why no more frames came from a source."""

    FINISHED = auto()
    STALLED = auto()
    PAUSED = auto()


class Feed(Protocol):
    """Where the beat gets its frames."""

    received: int
    state: str

    def next(self, timeout_s: float) -> Frame | None:
        """Return a frame, None after the last. TimeoutError if there is none now, CameraLost if there will be none."""

    def dropped(self) -> int:
        """Return how many frames nobody took."""

    def pause(self, *, on: bool) -> None:
        """Take no frames from now on, or take them again. From any thread; returns at once."""

    def close(self) -> None:
        """Stop, within the deadline of a capture."""


class CaptureThread:
    """The latest frame of a camera, captured on a thread of its own.

    A capture that times out closes and reopens the camera once; a second one within a minute, or a call that never
    returns, is CameraLost: only a new process helps then. A camera that is not there is looked for every ten seconds.
    While it is paused, a camera is closed; a file goes on, and whoever asked for the pause passes its frames over.
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
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """Get ready to capture.

        Args:
            open_source: opens the source; called on the capture thread.
            fault: called with the name of a fault and a sentence about it.
            first: a source that is open already. It is closed on the capture thread.
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
        self._poked = threading.Event()
        self._mailbox: Latest[Frame] = Latest()
        self._ended_by: Exception | None = None
        self._stopping = threading.Event()
        self._due_s = math.inf
        self._thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        self._starting = threading.Lock()

    def next(self, timeout_s: float) -> Frame | None:
        """Return the latest frame that was not taken yet; after the last one, None or what ended the capture.

        The first call starts the capture: no frame grows old while the rest of a run is being put together.
        """
        self.start()
        try:
            return self._mailbox.take(timeout_s)
        except EOFError:
            if self._ended_by:
                raise self._ended_by from None
            return None
        except TimeoutError:
            if time.monotonic() > self._due_s:
                raise CameraLost("the camera hangs in a call that does not return; a restart is needed") from None
            raise

    def dropped(self) -> int:
        """Return how many frames were overwritten by newer ones."""
        return self._mailbox.overwritten

    def pause(self, *, on: bool) -> None:
        """Close the camera and look no further, or open it again; the capture thread does it."""
        if on and not self._is_file:
            self._running.clear()
        else:
            self._running.set()
        self._poked.set()

    def close(self) -> None:
        """Stop capturing, once a capture that is on has met its deadline; a camera that hangs is left behind."""
        self._stopping.set()
        self._running.set()
        self._poked.set()
        self.start()
        hangs = time.monotonic() > self._due_s
        self._thread.join(0.5 if hangs or self._is_file else self._deadlines.capture_s + 0.5)

    def start(self) -> None:
        """Start to capture, if that was not done yet."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Set a deadline for this block. `next` raises CameraLost once it has passed."""
        self._due_s = time.monotonic() + seconds
        try:
            yield
        finally:
            self._due_s = math.inf

    def _capture(self) -> None:
        """Open, pump, and climb the ladder of recovery. Whatever ends it goes to the reader."""
        stalled_s = -math.inf
        try:
            while not self._stopping.is_set():
                # Before pause and end are looked at, so that neither is missed while the camera is looked for.
                self._poked.clear()
                if self._stopping.is_set() or not self._running.is_set():
                    self._rest()
                    continue
                try:
                    ended = self._pump(self._open())
                except AbsentDevice as error:
                    if not self._patient:
                        raise
                    self._become(NO_CAMERA, str(error))
                    self._poked.wait(self._deadlines.retry_s)
                    continue
                if ended is _End.PAUSED:
                    continue
                if ended is not _End.STALLED:
                    break
                self._become(STALLED, f"no frame within {self._deadlines.capture_s:.0f} s")
                if time.monotonic() - stalled_s < self._deadlines.stall_window_s:
                    raise CameraLost("the camera stalled twice within a minute; a restart is needed")
                stalled_s = time.monotonic()
        except Exception as error:
            # Raised again on the reader's thread.
            self._ended_by = error
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
        """Close the source that was open at the beginning, if nothing was read of it."""
        source, self._first = self._first, None
        if source:
            with self._within(self._deadlines.close_s):
                source.close()

    def _pump(self, source: FrameSource) -> _End:
        """Pass frames on until no more come, and close the source."""
        try:
            while not self._stopping.is_set():
                if not self._running.is_set():
                    self.state = PAUSED
                    return _End.PAUSED
                with self._within(math.inf if self._is_file else self._deadlines.hung_s):
                    frame = source.read(self._deadlines.capture_s)
                if frame is None:
                    break
                self.state = RUNNING
                self.received += 1
                self._mailbox.put(frame)
            return _End.FINISHED
        except TimeoutError:
            return _End.STALLED
        finally:
            with self._within(self._deadlines.close_s):
                source.close()

    def _become(self, state: str, detail: str) -> None:
        if self.state != state:
            self.state = state
            self._fault(state, detail)
