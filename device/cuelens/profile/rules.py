"""Makes the parameters of settling, limits, modes and fading from a profile."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, get_args

import msgspec

from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.settling import STRANGE, SettleRule, least_margins
from cuelens.profile.profile import Profile, Target
from cuelens_models.bundle.expressions import UNSURE

_SCHOOL: Final = {"happy": "smile", "angry": "frown", UNSURE: UNSURE}
"""The words at a school: a smile and a frown are visible, a feeling would be inferred (docs/decisions/0010)."""
_TARGETS: Final = get_args(Target)
_ON_REQUEST: Final = ("neutral", UNSURE, "nobody")


def settle_rule(
    profile: Profile, labels: Sequence[str], usual: Mapping[str, float], least: Mapping[str, float] | None = None
) -> SettleRule:
    """Return the settling rule of a profile.

    Args:
        profile: the profile.
        labels: the bundle's labels.
        usual: the margins of neutral faces, by label, in nats; empty if the bundle has none.
        least: the maker's least probabilities against neutral, by label. Those of the profile replace them.
    """
    policy = profile.policy
    overrides = {word: value for word, value in msgspec.structs.asdict(policy.enter).items() if value is not None}
    return SettleRule(
        labels=tuple(labels),
        least=least_margins(labels, policy.caution, {**(least or {}), **overrides}),
        usual=usual,
        dwell_s=policy.dwell_s,
        strange=STRANGE * (1 - profile.people.familiar),
        caution=policy.caution,
    )


def tell_as(profile: Profile, expression: str) -> str:
    """Return the word for an expression: the expression itself, or at a school "smile", "frown" or "face"."""
    return _SCHOOL.get(expression, "face") if profile.school else expression


def limit_rule(profile: Profile, available: Collection[str]) -> LimitRule:
    """Return the limits of a profile. available: the outputs that exist: light, voice, console."""
    policy = profile.policy

    def usable(*, light: bool, speech: bool) -> tuple[str, ...]:
        switches = {"light": light, "voice": speech and profile.sound.on, "console": True}
        return tuple(output for output, on in switches.items() if on and output in available)

    outputs = dict.fromkeys(_ON_REQUEST, usable(light=True, speech=True))
    outputs |= dict.fromkeys(("face", "guess"), usable(light=True, speech=False))
    for expression, entry in profile.cues.entries().items():
        speech = entry.phrase is not None or entry.recording is not None
        word = tell_as(profile, expression)
        if word != "face" and (entry.light or speech):
            outputs[word] = usable(light=entry.light is not None, speech=speech)
            if expression in _TARGETS:
                outputs[f"find {word}"] = usable(light=entry.light is not None, speech=True)
    return LimitRule(
        gap_s=policy.gap_s,
        answer_gap_s=policy.answer_gap_s,
        same_expression_s=policy.same_expression_s,
        spoken_per_minute=policy.spoken_per_minute,
        outputs=outputs,
        greets=profile.face_found is not None,
    )


def play_rule(profile: Profile, limits: LimitRule, labels: Collection[str]) -> PlayRule:
    """Return the parameters of the modes. `find` has only words that some output can tell; it may be empty.

    Args:
        profile: the profile.
        limits: its limits.
        labels: the bundle's labels. What is none of them is never read, and so not asked for.
    """
    words = dict.fromkeys(tell_as(profile, word) for word in profile.play.find if word in labels)
    find = tuple(word for word in words if word != "face" and limits.outputs.get(word))
    return PlayRule(wait_s=profile.play.wait_s, find=find, round_s=profile.play.round_s)


def fading_rule(profile: Profile) -> FadingRule:
    """Return the fading curve of a profile."""
    fading = profile.fading
    return FadingRule(fading.on, fading.answers, fading.latest_s, fading.rarest)


def volume(profile: Profile) -> float:
    """Return the loudness of the voice, 0 to 1, clipped to the ceiling."""
    return min(profile.sound.volume_percent, profile.sound.ceiling_percent) / 100
