"""A feed without a clock: every frame of a file, in order."""

from cuelens.camera.capture import RUNNING
from cuelens.frame import Frame
from cuelens.ports import FrameSource


class InOrder:
    """A feed of every frame of a source, in order, as fast as the caller takes them."""

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
        """Return 0: no frame is dropped."""
        return 0

    def pause(self, *, on: bool) -> None:
        """Do nothing: the caller drops the frames of a pause."""

    def close(self) -> None:
        """Close the source."""
        self._source.close()
