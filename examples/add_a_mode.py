"""A mode of one's own that tells smiles and nothing else. A file with such a MODE in cuelens/cues/modes is a mode."""

import math
from typing import Final

from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.cues.policy import CuePolicy
from cuelens.profile.profile import Profile
from cuelens.profile.rules import fading_rule, limit_rule, play_rule, settle_rule
from cuelens.types import Face, Wish
from cuelens_models.bundle.file import SHIPPED, load


def step(told_t: float, moment: Moment, rule: PlayRule) -> Step:
    """Tell a smile once, when it was settled on."""
    smile = Wish("expression", moment.track, "happy")
    if moment.expression != "happy" or moment.since_t == told_t or not moment.may(smile):
        return Step(told_t)
    return Step(moment.since_t, smile)


MODE: Final = Mode("smiles", "Tells smiles, and nothing else.", -math.inf, step)


def main() -> None:
    wearer, contract = Profile(), load(SHIPPED).contract
    limits = limit_rule(wearer, ["light"])
    settling = settle_rule(wearer, contract.labels, contract.probabilities.usual)
    play = play_rule(wearer, limits, contract.labels)
    policy = CuePolicy(settling, limits, MODE, play, fading_rule(wearer), remembered_s=2.0)
    for beat in range(150):
        t, shown = beat / 15, "sad" if beat < 60 else "happy"
        scores = [float(label == shown) for label in contract.labels]
        if cue := policy.step(t, [Face(1, (300, 200, 90, 90))], {1: scores}).cue:
            print(f"{t:.2f} s  {cue.word}, by {', '.join(cue.outputs)}")


if __name__ == "__main__":
    main()
