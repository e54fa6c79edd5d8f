"""`cuelens demo`: the pipeline of the glasses on the built-in scene, and a picture of the session."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from cuelens import events, settings
from cuelens.commands.console import for_events, refuse_standard
from cuelens.commands.run import RunOptions, run
from cuelens.commands.startup import active_profile
from cuelens.frame import Frame, Grey
from cuelens.light.cue_lights import lights
from cuelens.runtime.pipeline import Decision
from cuelens_models import command
from cuelens_models.errors import MissingExtra, Unwritable

_PICTURE: Final = Path("cuelens-demo.png")
_SNAPSHOT_EVERY_S = 0.5


class Recorder:
    """Stores what the picture needs: events, and a frame with its decision twice a second and at every cue.

    Only the demo has a recorder, and its frames are the built-in scene's. No frame of a camera is ever stored.
    """

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self.snapshots: list[tuple[float, Grey, Decision]] = []

    def __call__(self, event: events.Event) -> None:
        """Store one event."""
        self.events.append(event)

    def watch(self, frame: Frame, decision: Decision) -> None:
        """Store the frame if it has a cue, or if half a second has passed since the last one."""
        last_t = self.snapshots[-1][0] if self.snapshots else -np.inf
        if decision.cue or decision.t - last_t >= _SNAPSHOT_EVERY_S:
            self.snapshots.append((decision.t, frame.grey.copy(), decision))


def demo(options: RunOptions, wanted: Path | None) -> int:
    """Run the demo, and write its picture. Returns the exit status.

    Raises MissingExtra, before the run, if a picture is asked for and matplotlib is not installed.

    Args:
        options: the command line.
        wanted: where the picture is asked for. None: cuelens-demo.png, and none at all without matplotlib.
    """
    output = wanted or _PICTURE
    refuse_standard(output)
    lacking = _lacking()
    if lacking:
        if wanted:
            raise lacking
        status = run(msgspec.structs.replace(options, whole=True))
        print(f"no picture of the session: {lacking}", file=for_events(options.events))
        return status
    if not output.parent.is_dir() or output.is_dir():
        raise Unwritable(
            f"{output} cannot be written: its folder does not exist" if not output.is_dir() else f"{output} is a folder"
        )
    recorder = Recorder()
    status = run(
        msgspec.structs.replace(options, whole=True), readers=[recorder], watchers=[recorder.watch], picture=output
    )
    from cuelens.commands.demo_picture import draw

    state = settings.read(options.config or settings.usual_path()).state_dir()
    shown = lights(active_profile(options, state).profile)
    try:
        draw(recorder.events, recorder.snapshots, output, shown)
    except OSError as error:
        raise Unwritable(f"{output} cannot be written: {error.strerror}") from error
    print(f"the session as a picture: {output}", file=for_events(options.events))
    return status


def _lacking() -> MissingExtra | None:
    """Return what a picture lacks: said before the demo, which takes half a minute."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return command.require("matplotlib", "demo")
    return None
