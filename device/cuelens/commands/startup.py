"""Everything that a run reads, read and checked before anything is written or lit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import msgspec

from cuelens import settings
from cuelens.adapters import haar
from cuelens.adapters.sources import is_camera, open_source
from cuelens.cues.modes import mode
from cuelens.ports import FrameSource
from cuelens.profile import store
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Settings
from cuelens_models import command
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.errors import BadBundle, BadInput


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line said. source, config, profile, bundle: None where it said nothing.

    worn: sessions are kept, and their story, as always with a camera.
    """

    source: str | None = None
    config: Path | None = None
    profile: Path | None = None
    bundle: Path | None = None
    events: str | None = None
    cues: Sequence[str] = ("console",)
    seconds: float | None = None
    as_fast: bool = False
    mode: str | None = None
    worn: bool = False


@dataclass(frozen=True, slots=True)
class Startup:
    """Everything that a run reads, read and checked. source: a file that was opened; None for a camera.

    patient: the camera is waited for. worn: see RunOptions. faults: what was wrong and replaced, as (fault, detail).
    """

    settings: Settings
    active: ProfileInForce
    interpreter: Interpreter
    source: FrameSource | None
    source_name: str
    patient: bool
    worn: bool
    wearer: Wishes
    faults: tuple[tuple[str, str], ...]


def check(options: RunOptions, picture: Path | None) -> Startup:
    """Read and check everything, and open the source unless it is a camera. Nothing is written."""
    config = options.config or settings.usual_path()
    chosen = settings.read(config)
    state = chosen.state_dir()
    active = _active(options, state)
    cv2.setNumThreads(chosen.threads.opencv)
    interpreter, bundle_fault = _open_bundle(options.bundle, chosen)
    name = chosen.camera.source if options.source is None else options.source
    inputs = [
        *(config, options.profile or store.active_path(state), options.bundle, SHIPPED),
        *(Path(place) for place in (chosen.places.bundle, name) if place),
    ]
    kept_events = Path(options.events) if options.events and options.events != "-" else None
    for output in (picture, kept_events):
        if output:
            command.refuse_overwriting(output, inputs)
    if picture and kept_events and picture.resolve() == kept_events.resolve():
        raise BadInput(f"{picture} cannot be both the picture and the events: choose another file")
    camera = is_camera(name)
    if camera and options.as_fast:
        raise BadInput("--as-fast is for files and the demo: a camera has its own pace")
    worn = camera or options.worn
    wearer = Wishes(state / "wearer.json" if worn else None)
    faults = (
        ("profile damaged", active.fault),
        ("profile outdated", active.note),
        ("bundle damaged", bundle_fault),
        ("wearer's file damaged", wearer.fault),
    )
    return Startup(
        settings=chosen,
        active=active,
        interpreter=interpreter,
        source=None if camera else open_source(name, chosen.camera),
        source_name=name,
        patient=options.source is None,
        worn=worn,
        wearer=wearer,
        faults=tuple(fault for fault in faults if fault[1]),
    )


def _active(options: RunOptions, state: Path) -> ProfileInForce:
    """Return the profile that holds, with the mode that the command line asks for, if it does."""
    file = options.profile
    active = store.in_force(file) if file else store.active(state)
    if options.mode is None:
        return active
    profile = msgspec.structs.replace(active.profile, mode=mode(options.mode).name)
    store.check_play(profile, f"--mode {options.mode}")
    return replace(active, profile=profile)


def _open_bundle(explicit: Path | None, chosen: Settings) -> tuple[Interpreter, str]:
    """Open the bundle asked for; one that only the settings name is replaced by the shipped one if it is damaged."""
    if explicit:
        return _start(load(explicit), chosen), ""
    configured = Path(chosen.places.bundle) if chosen.places.bundle else SHIPPED
    try:
        return _start(load(configured), chosen), ""
    except BadBundle as error:
        if configured == SHIPPED:
            raise
        return _start(load(SHIPPED), chosen), f"{error}; the shipped one is used"


def _start(bundle: Bundle, chosen: Settings) -> Interpreter:
    detector = bundle.contract.input.crop.detector
    if detector != haar.NAME:
        raise BadBundle(f"bundle {bundle.path} wants faces cropped as {detector} finds them; here is {haar.NAME}")
    interpreter = Interpreter(bundle, chosen.threads.model)
    interpreter.check_golden()
    return interpreter
