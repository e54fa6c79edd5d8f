"""Frame sources by name: from the text after --source to an open source."""

import re
from pathlib import Path

from cuelens.ports import FrameSource
from cuelens.settings import Camera
from cuelens_models.errors import BadInput

KINDS = "picamera2, v4l2:N, a video, an image, a folder of images, or demo"


def is_camera(text: str) -> bool:
    """Whether the source is a camera."""
    return text == "picamera2" or re.fullmatch(r"v4l2:\d{1,3}", text) is not None


def open_source(text: str, camera: Camera) -> FrameSource:
    """Open a source. Raises BadInput, or AbsentDevice or MissingExtra if a device or a library is missing."""
    if text == "picamera2":
        from cuelens.adapters.picamera import PiCamera

        return PiCamera(camera.width, camera.height, camera.fps, camera.rotation)
    if text.startswith("v4l2:"):
        if not is_camera(text):
            raise BadInput(f"source {text!r} names no camera: write v4l2:0 for /dev/video0")
        from cuelens.adapters.v4l2 import V4l2Camera

        return V4l2Camera(int(text[5:]), camera.width, camera.height, camera.fps, camera.rotation)
    if text == "demo":
        from cuelens.adapters.demo_scene import SceneSource, demo_scene

        return SceneSource(demo_scene())
    from cuelens.adapters.files import open_file

    if not text:
        raise BadInput(f"a source is {KINDS}")
    return open_file(Path(text), camera.rotation)
