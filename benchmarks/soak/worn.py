"""`cuelens run` as it is, with a camera and a button, which this machine lacks: what the soak wears.

    python -m benchmarks.soak.worn FOLDER FASTER

The camera replays FOLDER/pictures again and again, FASTER times as fast as life by its own clock. FOLDER/camera says
in one word what is wrong with it. FOLDER/beats-PID gets the age of each frame at its decision: float32, milliseconds.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from cuelens import cli
from cuelens.adapters import v4l2
from cuelens.adapters.demo_scene import FPS, HEIGHT, WIDTH
from cuelens.adapters.fakes import MemoryButton
from cuelens.camera.frame_buffers import NO_PICTURE, FrameBuffers
from cuelens.frame import Frame
from cuelens.runtime.hardware import Hardware
from cuelens.runtime.loop import Loop
from cuelens_models.errors import AbsentDevice

TROUBLES: Final = ("stall", "absent", "odd", "dark")
"""What can be wrong with the camera."""


class ReplayedCamera:
    """A camera that plays a file of pictures, read one by one, so that no more than one is ever in memory."""

    name = "replayed"

    def __init__(self, folder: Path, faster: float) -> None:
        """Open it. Raises AbsentDevice while it is absent."""
        self._trouble = folder / "camera"
        self._step_s = 1 / (FPS * faster)
        self._faster = faster
        if self._wrong() == "absent":
            raise AbsentDevice("the camera is away")
        self._pictures = (folder / "pictures").open("rb", buffering=0)
        self._picture = np.empty((HEIGHT, WIDTH), np.uint8)
        self._buffers = FrameBuffers()
        self._due_s = time.monotonic()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame when it is due. Raises TimeoutError in a stall, AbsentDevice if the camera is away."""
        wrong = self._wrong()
        end_s = time.monotonic() + timeout_s
        while wrong == "stall":
            if time.monotonic() > end_s:
                raise TimeoutError("no frame")
            time.sleep(0.05)
            wrong = self._wrong()
        if wrong == "absent":
            raise AbsentDevice("the camera is away")
        now_s = time.monotonic()
        # After a pause of this process the frames of that time are gone, as a camera's are.
        self._due_s = max(self._due_s + self._step_s, now_s - self._step_s)
        time.sleep(max(0.0, self._due_s - now_s))
        if not self._pictures.readinto(memoryview(self._picture).cast("B")):
            self._pictures.seek(0)
            self._pictures.readinto(memoryview(self._picture).cast("B"))
        if wrong == "dark":
            self._picture.fill(0)
        grey = NO_PICTURE if wrong == "odd" else self._buffers.keep(self._picture)
        exposed_ns = time.monotonic_ns()
        return Frame(grey, exposed_ns / 1e9 * self._faster, exposed_ns)

    def close(self) -> None:
        """Close it."""
        self._pictures.close()

    def _wrong(self) -> str:
        try:
            return self._trouble.read_text()
        except FileNotFoundError:
            return ""


def main() -> None:
    folder, faster = Path(sys.argv[1]), float(sys.argv[2])
    ages = (folder / f"beats-{os.getpid()}").open("ab", buffering=0)
    begin_hardware, begin_loop = Hardware.__init__, Loop.__init__

    def note(frame: Frame, _decision: object) -> None:
        ages.write(np.float32((time.monotonic_ns() - frame.exposed_ns) / 1e6).tobytes())

    def with_button(self: Hardware, *arguments: Any, **options: Any) -> None:
        begin_hardware(self, *arguments, **options)
        self.button = MemoryButton()

    def timed(self: Loop, *arguments: Any, watchers: Any, **options: Any) -> None:
        begin_loop(self, *arguments, watchers=[*watchers, note], **options)

    setattr(Hardware, "__init__", with_button)  # noqa: B010 - mypy takes no other method for this one
    setattr(Loop, "__init__", timed)  # noqa: B010
    vars(v4l2)["V4l2Camera"] = lambda *_: ReplayedCamera(folder, faster)
    words = ["run", "--config", str(folder / "cuelens.toml"), "--cues", "light,voice"]
    sys.argv[1:] = [*words, "--events", str(folder / f"events-{os.getpid()}.jsonl")]
    cli.main()


if __name__ == "__main__":
    main()
