"""The Pi's camera through picamera2: the luminance plane of a small stream, copied once, a deadline on each capture.

picamera2 raises no error when libcamera stops delivering frames: without a deadline a capture never returns. After a
timeout the capture must be cancelled, or `stop` waits for it for ever.
"""

import contextlib
import logging
import os
import time
from concurrent.futures import CancelledError
from typing import Any

from cuelens.camera.frame_buffers import FrameBuffers
from cuelens.frame import Frame
from cuelens_models.errors import AbsentDevice, MissingExtra

_STREAM = "lores"
_BUFFERS = 3


class PiCamera:
    """A camera on the ribbon cable. Open, read and close it from one thread."""

    name = "picamera2"

    def __init__(self, width: int, height: int, fps: int, rotation: int) -> None:
        """Start the camera. Raises MissingExtra if picamera2 is not installed, AbsentDevice if no camera is usable."""
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:WARN")
        try:
            from libcamera import ColorSpace
            from picamera2 import MappedArray, Picamera2
        except ImportError as error:
            raise MissingExtra(
                f"{error.name or 'picamera2'} is not installed: run `sudo apt install python3-picamera2"
                " --no-install-recommends` and make the virtual environment with --system-site-packages"
            ) from error
        if not hasattr(Picamera2, "cancel_all_and_flush"):
            raise MissingExtra(
                "this picamera2 cannot give up on a capture: run `sudo apt full-upgrade` (0.3.22 or later)"
            )
        logging.getLogger("picamera2").setLevel(logging.WARNING)
        # The list includes USB cameras, which the v4l2 adapter opens.
        if not any("/usb" not in camera["Id"] for camera in Picamera2.global_camera_info()):
            raise AbsentDevice("no camera is connected: check the ribbon cable, then `rpicam-hello --list-cameras`")
        self._map = MappedArray
        self._buffers = FrameBuffers(rotation)
        try:
            self._camera = Picamera2()
        except (RuntimeError, IndexError) as error:
            raise AbsentDevice(f"the camera cannot be opened, another program may hold it: {error}") from error
        try:
            self._configure(width, height, fps, ColorSpace.Sycc())
        except RuntimeError as error:
            self._camera.close()
            raise AbsentDevice(f"the camera cannot give {width}x{height} at {fps} frames a second: {error}") from error
        # Use the configured size, not the requested one: libcamera rounds widths, and pads rows to the stride.
        self._width, self._height = self._camera.stream_configuration(_STREAM)["size"]

    def _configure(self, width: int, height: int, fps: int, full_range: Any) -> None:
        size = {"size": (width, height)}
        self._camera.configure(
            self._camera.create_video_configuration(
                main=size | {"format": "YUV420"},
                lores=size | {"format": "YUV420"},
                raw=None,
                # The default below 720p clips luminance to 16-235 on a Pi 5.
                colour_space=full_range,
                buffer_count=_BUFFERS,
                controls={"FrameRate": fps},
                display=None,
                encode=None,
                # No queue: a capture is exposed after its request.
                queue=False,
            )
        )
        self._camera.start()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. Raises TimeoutError if none came within `timeout_s` seconds."""
        job = self._camera.capture_request(wait=False)
        try:
            request = self._camera.wait(job, timeout=timeout_s)
        except TimeoutError:
            self._camera.cancel_all_and_flush()
            # A frame may have arrived meanwhile: release its buffer.
            with contextlib.suppress(CancelledError, TimeoutError):
                job.get_result(timeout=0.1).release()
            raise
        try:
            metadata = request.get_metadata()
            exposed_ns = metadata.get("SensorTimestamp") or time.monotonic_ns()
            with self._map(request, _STREAM) as mapped:
                grey = self._buffers.keep(mapped.array[: self._height, : self._width])
        finally:
            request.release()
        # libcamera estimates Lux only for sensors whose tuning file supports it.
        return Frame(grey, exposed_ns / 1e9, exposed_ns, lux=metadata.get("Lux"))

    def close(self) -> None:
        """Stop the camera and release it."""
        self._camera.cancel_all_and_flush()
        self._camera.close()
