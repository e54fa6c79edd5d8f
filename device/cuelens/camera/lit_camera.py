"""Capture light: it is on while the camera is open, so that bystanders see that frames are taken."""

from collections.abc import Callable

from cuelens.frame import Frame
from cuelens.ports import CaptureLight, FrameSource


class LitCamera:
    """A camera with its capture light, which is on before the camera opens, and off after it closes."""

    def __init__(
        self,
        open_camera: Callable[[], FrameSource],
        claim: Callable[[], CaptureLight],
        shut: Callable[[], None] = lambda: None,
    ) -> None:
        """Turn the light on, then open the camera. Raises AbsentDevice if there is no camera, or no light.

        Args:
            open_camera: opens the camera.
            claim: opens the capture light.
            shut: called once both are closed, also if the camera does not open.
        """
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
        """Close the camera, then turn the light off. The light stays on while a camera hangs in closing."""
        self._camera.close()
        self._put_out()

    def _put_out(self) -> None:
        self._light.close()
        self._shut()
