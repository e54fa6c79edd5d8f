"""A camera that is never open without its capture light: people in front of the glasses see that frames are taken."""

from collections.abc import Callable

from cuelens.frame import Frame
from cuelens.ports import CaptureLight, FrameSource


class Lit:
    """A camera behind its light, which is claimed and lit before the camera opens, and put out once it is closed."""

    def __init__(
        self,
        open_camera: Callable[[], FrameSource],
        claim: Callable[[], CaptureLight],
        shut: Callable[[], None] = lambda: None,
    ) -> None:
        """shut: called once both are closed. Raises AbsentDevice if there is no camera, or no light: it stays shut."""
        self._shut = shut
        self._light = claim()
        try:
            self._light.on()
            self._camera = open_camera()
        except BaseException:
            self._put_out()
            raise
        self.name = self._camera.name

    def read(self, timeout_s: float) -> Frame | None:
        """Return the camera's next frame."""
        return self._camera.read(timeout_s)

    def close(self) -> None:
        """Close the camera, then put the light out; while a camera hangs in closing, the light says so."""
        self._camera.close()
        self._put_out()

    def _put_out(self) -> None:
        self._light.close()
        self._shut()
