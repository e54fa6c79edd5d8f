"""Start of a run: reads and checks all its inputs before any output is opened."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec

from cuelens import settings
from cuelens.adapters import haar
from cuelens.adapters.files import KINDS
from cuelens.adapters.sources import is_camera, open_source
from cuelens.commands import state_folder
from cuelens.commands.first_minute import Attempt
from cuelens.cues.modes import mode
from cuelens.ports import FrameSource
from cuelens.profile import store
from cuelens.profile.perceptible import unreadable
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Settings
from cuelens_models import command
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.errors import BadBundle, BadInput


class RunOptions(msgspec.Struct, frozen=True):
    """Options of the command line; None means unset.

    Attributes:
        source: camera, file, folder or demo.
        config: settings of the hardware (TOML).
        profile: profile of the wearer (JSON).
        bundle: the model.
        events: file for the events; "-" is standard output.
        cues: outputs that give cues: light, voice, console.
        seconds: length of the run.
        as_fast: every frame of a file in order, without its clock.
        mode: mode in place of the profile's.
        worn: store sessions and their story, as with a camera.
        whole: no new settings interrupt the run.
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
    whole: bool = False


class Startup(msgspec.Struct, frozen=True):
    """The checked inputs of a run.

    Attributes:
        settings: settings of the hardware.
        active: profile of the wearer.
        interpreter: the model.
        source: an open file; None for a camera.
        source_name: the source's name, of the command line or the settings.
        patient: wait for an absent camera.
        worn: store sessions and their story.
        wearer: the wearer's wishes.
        faults: inputs that were replaced, as (fault, detail).
        attempt: the start, which may take back what was changed.
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
    attempt: Attempt


def _refuse_half_characters(path: Path | None) -> None:
    """Raise BadInput for a path with bytes that are no UTF-8: events and answers name it, and could not be encoded."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"the name {path} is not in UTF-8: choose another one for what running glasses use") from error


def check(options: RunOptions, picture: Path | None, attempt: Attempt | None = None) -> Startup:
    """Read and check all inputs, and open the source unless it is a camera. Nothing is written.

    Args:
        options: the command line.
        picture: a file that the caller writes afterwards; it must not overwrite an input.
        attempt: the start, which may take back what was changed; None for one that takes nothing back.
    """
    attempt = attempt or Attempt()
    taken_back = attempt.begun.taken_back
    config = attempt.kept("settings") if "settings" in taken_back else options.config or settings.usual_path()
    setup = settings.read(config)
    if "bundle" in taken_back:
        setup = replaced_bundle(setup, attempt.kept("bundle"))
    state = setup.state_dir()
    for path in (config, state, options.profile, options.bundle):
        _refuse_half_characters(path)
    active = last_good_profile(options, state) if "profile" in taken_back else active_profile(options, state)
    cv2.setNumThreads(setup.threads.opencv)
    interpreter, bundle_fault = _open_bundle(options.bundle, setup)
    name = source_name(setup, options.source)
    inputs = [
        *(config, state, options.profile or active.folder / f"{active.name}.json", options.bundle, SHIPPED),
        *(Path(place) for place in (setup.places.bundle, name) if place),
    ]
    reachable = [path for path in inputs if path and os.access(path, os.F_OK)]
    events_file = Path(options.events) if options.events and options.events != "-" else None
    for output in (picture, events_file):
        if output:
            command.refuse_overwriting(output, reachable)
    if picture and events_file and picture.resolve() == events_file.resolve():
        raise BadInput(f"{picture} cannot be both the picture and the events: choose another file")
    camera = is_camera(name)
    if camera and options.as_fast:
        raise BadInput("--as-fast is for files and the demo: a camera has its own pace")
    worn = camera or options.worn
    wearer = _wishes(state / "wearer.json") if worn else Wishes()
    faults = (
        ("safe mode", attempt.why()),
        ("state folder", state_folder.trouble(state) if worn else ""),
        ("profile damaged", active.fault),
        ("profile outdated", active.note),
        *(("profile warning", sentence) for sentence in active.warnings),
        *(("profile warning", sentence) for sentence in unreadable(active.profile, interpreter.contract.labels)),
        ("bundle damaged", bundle_fault),
        ("wearer's file damaged", wearer.fault),
    )
    return Startup(
        settings=setup,
        active=active,
        interpreter=interpreter,
        source=None if camera else open_source(name, setup.camera),
        source_name=name,
        patient=options.source is None,
        worn=worn,
        wearer=wearer,
        faults=tuple(fault for fault in faults if fault[1]),
        attempt=attempt,
    )


def source_name(setup: Settings, typed: str | None = None) -> str:
    """Return the source that was typed, else the one of the settings. Raises BadInput if it is an address."""
    name = setup.camera.source if typed is None else typed
    if settings.is_address(name):
        raise BadInput(f"source {name} is an address, and nothing is read over a network: a source is {KINDS}")
    return name


def _wishes(file: Path) -> Wishes:
    """Return the wearer's wishes. Where their folder may not be entered, they hold until the end of the run."""
    try:
        return Wishes(file)
    except OSError:
        return Wishes()


def replaced_bundle(setup: Settings, bundle: Path | None) -> Settings:
    """Return settings that name another bundle; None: the shipped one."""
    places = msgspec.structs.replace(setup.places, bundle=str(bundle or ""))
    return msgspec.structs.replace(setup, places=places)


def last_good_profile(options: RunOptions, state: Path) -> ProfileInForce:
    """Return the last good version of the active profile, which safe mode puts in its place."""
    return with_mode(options, store.last_good(state, "what was changed last is taken back"))


def active_profile(options: RunOptions, state: Path) -> ProfileInForce:
    """Return the profile in force, with the mode of the command line, if it has one."""
    file = options.profile
    return with_mode(options, store.in_force(file) if file else store.active(state))


def with_mode(options: RunOptions, active: ProfileInForce) -> ProfileInForce:
    """Return a profile with the mode of the command line, if it has one. Raises BadInput if they do not fit."""
    if options.mode is None:
        return active
    profile = msgspec.structs.replace(active.profile, mode=mode(options.mode).name)
    store.check_play(profile, f"--mode {options.mode}")
    return msgspec.structs.replace(active, profile=profile)


def _open_bundle(explicit: Path | None, setup: Settings) -> tuple[Interpreter, str]:
    """Open the bundle. The shipped one replaces a damaged one of the settings. Returns it, and the fault or ""."""
    if explicit:
        return _start(load(explicit), setup), ""
    configured = Path(setup.places.bundle) if setup.places.bundle else SHIPPED
    try:
        return _start(load(configured), setup), ""
    except BadBundle as error:
        if configured == SHIPPED:
            raise
        return _start(load(SHIPPED), setup), f"{error}; the shipped one is used"


def _start(bundle: Bundle, setup: Settings) -> Interpreter:
    detector = bundle.contract.input.crop.detector
    if detector != haar.NAME:
        raise BadBundle(f"bundle {bundle.path} wants faces cropped as {detector} finds them; here is {haar.NAME}")
    interpreter = Interpreter(bundle, setup.threads.model)
    interpreter.check_golden()
    return interpreter
