"""The parts of a run that a caregiver reaches."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from cuelens.health.health import Health
from cuelens.health.safe_mode import Begun
from cuelens.profile.library import Library
from cuelens.runtime.calibration import Calibration
from cuelens.runtime.code_teller import CodeTeller
from cuelens.runtime.collecting import Collecting
from cuelens.runtime.loop import Counts
from cuelens.runtime.recent import Recent
from cuelens.runtime.wishes import Wishes
from cuelens_models.bundle.contract import Contract


class CaregiverParts(msgspec.Struct, frozen=True):
    """The parts of a run that a caregiver reaches.

    Attributes:
        calibration: whether it is on.
        collecting: the readings of the step "people".
        recent: what happened lately.
        health: of the run. counts: returns the counters of the loop. begun: the start.
        teller: tells a pairing code.
        wishes: the wearer's wishes.
        contract: of the bundle.
        library: the profiles.
        story: file of the story.
        button: there is a button.
        light: there is a light.
    """

    calibration: Calibration
    collecting: Collecting
    recent: Recent
    health: Health
    counts: Callable[[], Counts]
    begun: Begun
    teller: CodeTeller
    wishes: Wishes
    contract: Contract
    library: Library
    story: Path
    button: bool
    light: bool
