"""A feed without a clock: every frame of a file, in order."""

from cuelens.camera.capture import RUNNING
from cuelens.camera.frame_buffers import is_picture
from cuelens.frame import Frame
from cuelens.ports import FrameSource


class InOrder:
    """A feed of every picture of a source, in order, as fast as the caller takes them."""

    def __init__(self, source: FrameSource) -> None:
        self.received = 0
        self.state = RUNNING
        self._source = source
        self._odd = 0

    def next(self, timeout_s: float) -> Frame | None:
        """Return the next frame that is a picture."""
        while (frame := self._source.read(timeout_s)) is not None and not is_picture(frame.grey):
            self._odd += 1
        self.received += frame is not None
        return frame

    def dropped(self) -> int:
        """Return the number of frames that were no pictures."""
        return self._odd

    def pause(self, *, on: bool) -> None:
        """Do nothing: the caller drops the frames of a pause."""

    def close(self) -> None:
        """Close the source."""
        self._source.close()
