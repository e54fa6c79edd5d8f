"""Every frame of a file, in order, as fast as frames are asked for."""

from cuelens.camera.capture import RUNNING
from cuelens.frame import Frame
from cuelens.ports import FrameSource


class InOrder:
    """Every frame of a source, one after another, as fast as they are asked for."""

    def __init__(self, source: FrameSource) -> None:
        self.received = 0
        self.state = RUNNING
        self._source = source

    def next(self, timeout_s: float) -> Frame | None:
        """Return the next frame."""
        frame = self._source.read(timeout_s)
        self.received += frame is not None
        return frame

    def dropped(self) -> int:
        """Nothing is ever dropped."""
        return 0

    def pause(self, *, on: bool) -> None:
        """A file gives its frames in order; what is not wanted is passed over by whoever asked for the pause."""

    def close(self) -> None:
        """Close the source."""
        self._source.close()
