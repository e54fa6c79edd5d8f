"""Frame sources by name: from the text after --source to an open source."""

import os
import re
from pathlib import Path

from cuelens.ports import FrameSource
from cuelens.settings import Camera
from cuelens_models.errors import BadInput


def is_camera(text: str) -> bool:
    """Whether the source is a camera."""
    return text == "picamera2" or _webcam(text) is not None


def open_source(text: str, camera: Camera) -> FrameSource:
    """Open a source. Raises BadInput, or AbsentDevice or MissingExtra if a device or a library is missing."""
    if text == "picamera2":
        from cuelens.adapters.picamera import PiCamera

        return PiCamera(camera.width, camera.height, camera.fps, camera.rotation)
    if (number := _webcam(text)) is not None:
        from cuelens.adapters.v4l2 import V4l2Camera

        return V4l2Camera(number, camera.width, camera.height, camera.fps, camera.rotation)
    if text.startswith("v4l2:"):
        raise BadInput(f"source {text!r} names no camera: write v4l2:0 for /dev/video0")
    if text == "demo":
        from cuelens.adapters.demo_scene import SceneSource, demo_scene

        return SceneSource(demo_scene())
    from cuelens.adapters.files import KINDS, open_file

    if not text:
        raise BadInput(f"a source is {KINDS}")
    return open_file(Path(text), camera.rotation)


def _webcam(text: str) -> int | None:
    """Return N of v4l2:N, N, or /dev/videoN and links to it; 0 for webcam; None for another source.

    A file whose name is a number is ./N.
    """
    if text == "webcam":
        return 0
    match = re.fullmatch(r"(?:v4l2:)?(\d{1,3})", text, re.ASCII) or re.fullmatch(
        r"/dev/video(\d{1,3})", os.path.realpath(text), re.ASCII
    )
    return int(match[1]) if match else None
