"""Builds the pipeline: the one place for the daemon, `cuelens bench` and the benchmarks."""

from collections.abc import Callable, Sequence
from functools import partial

from cuelens import events
from cuelens.calibration.correction import corrector
from cuelens.cues.modes import mode
from cuelens.cues.policy import CuePolicy
from cuelens.ports import Detector
from cuelens.profile.profile import Profile
from cuelens.profile.rules import fading_rule, limit_rule, play_rule, settle_rule, tell_as
from cuelens.runtime.pipeline import Pipeline
from cuelens.vision.classifier import Reader
from cuelens.vision.face_finder import FaceFinder, LookPace
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.interpreter import Interpreter


def assemble(
    detector: Detector,
    interpreter: Interpreter,
    watch: StageTimes,
    emit: Callable[[events.Event], None] = lambda event: None,
    *,
    outputs: Sequence[str] = ("light",),
    wearer: Profile | None = None,
    optics: Optics | None = None,
    pace: LookPace | None = None,
    answered_first: tuple[bool, ...] = (),
) -> Pipeline:
    """Return a pipeline. What is left out has its factory default.

    Args:
        detector: finds faces.
        interpreter: runs the model of a bundle.
        watch: takes the time of each stage.
        emit: is called with every event.
        outputs: the outputs that exist: light, voice, console.
        wearer: the profile.
        optics: field of view and reach.
        pace: how often the frame is searched for faces.
        answered_first: the history of fading from earlier sessions.
    """
    wearer = wearer or Profile()
    contract = interpreter.contract
    finder = FaceFinder(detector, optics or Optics(), pace or LookPace(), watch)
    finder.level(wearer.view.tilt_degrees)
    return Pipeline(
        finder,
        Reader(interpreter, watch),
        policy_of(wearer, contract, outputs, answered_first),
        watch,
        emit,
    )


def policy_of(
    wearer: Profile, contract: Contract, outputs: Sequence[str], answered_first: tuple[bool, ...] = ()
) -> CuePolicy:
    """Return the cue policy of a profile.

    Args:
        wearer: the profile.
        contract: the bundle's labels and thresholds.
        outputs: the outputs that exist: light, voice, console.
        answered_first: the history of fading from earlier sessions.
    """
    limits = limit_rule(wearer, outputs)
    return CuePolicy(
        settle_rule(wearer, contract.labels, contract.probabilities.usual, contract.probabilities.least),
        limits,
        mode(wearer.mode),
        play_rule(wearer, limits, contract.labels),
        fading_rule(wearer),
        remembered_s=wearer.policy.reunion_s,
        tell_as=partial(tell_as, wearer),
        central=wearer.policy.speaks == "central",
        answered_first=answered_first,
        correct=corrector(contract.labels, wearer.people),
    )
