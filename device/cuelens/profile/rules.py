"""From a profile to the rules that settling, the limits, the modes and fading go by."""

from collections.abc import Collection
from typing import Final

import msgspec

from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.settling import SettleRule, thresholds
from cuelens.profile.profile import Profile
from cuelens_models.bundle.expressions import UNSURE

_SCHOOL: Final = {"happy": "smile", "angry": "frown", UNSURE: UNSURE}
"""What may be told at a school: a smile and a frown are seen, a feeling would be inferred (docs/decisions/0010)."""
_ASKED: Final = ("neutral", UNSURE, "nobody")


def settle_rule(profile: Profile, labels: list[str], enter: dict[str, float]) -> SettleRule:
    """Return the settling rule of a profile for a bundle's labels and thresholds."""
    policy = profile.policy
    own = {word: value for word, value in msgspec.structs.asdict(policy.enter).items() if value is not None}
    return SettleRule(
        labels=tuple(labels),
        enter=thresholds(enter, policy.caution, own),
        dwell_s=policy.dwell_s,
    )


def tell_as(profile: Profile, expression: str) -> str:
    """Return the word that may be told of an expression: itself; at a school smile, frown or just "face"."""
    return _SCHOOL.get(expression, "face") if profile.school else expression


def limit_rule(profile: Profile, there: Collection[str]) -> LimitRule:
    """Return the limits of a profile, for the outputs that are there: light, voice, console."""
    policy = profile.policy

    def telling(*, light: bool, said: bool) -> tuple[str, ...]:
        wanted = {"light": light, "voice": said and profile.sound.on, "console": True}
        return tuple(output for output, want in wanted.items() if want and output in there)

    outputs = dict.fromkeys(_ASKED, telling(light=True, said=True))
    outputs |= dict.fromkeys(("face", "guess"), telling(light=True, said=False))
    for expression, entry in profile.cues.entries().items():
        said = entry.phrase is not None or entry.recording is not None
        word = tell_as(profile, expression)
        if word != "face" and (entry.light or said):
            outputs[word] = telling(light=entry.light is not None, said=said)
            outputs[f"find {word}"] = telling(light=entry.light is not None, said=True)
    return LimitRule(
        gap_s=policy.gap_s,
        answer_gap_s=policy.answer_gap_s,
        same_expression_s=policy.same_expression_s,
        spoken_per_minute=policy.spoken_per_minute,
        outputs=outputs,
        greets=profile.face_found is not None,
    )


def play_rule(profile: Profile, limits: LimitRule) -> PlayRule:
    """Return the numbers of the modes. Only what can be told is asked for; at a school a smile, if nothing is left."""
    wanted = dict.fromkeys(tell_as(profile, word) for word in profile.play.find)
    tellable = tuple(word for word in wanted if word != "face" and limits.outputs.get(word))
    find = tellable or ("smile" if profile.school else profile.play.find[0],)
    return PlayRule(wait_s=profile.play.wait_s, find=find, round_s=profile.play.round_s)


def fading_rule(profile: Profile) -> FadingRule:
    """Return the curve of a profile."""
    fading = profile.fading
    return FadingRule(fading.on, fading.answers, fading.latest_s, fading.rarest)


def volume(profile: Profile) -> float:
    """Return the loudness of the voice, 0 to 1, under the ceiling."""
    return min(profile.sound.volume_percent, profile.sound.ceiling_percent) / 100
