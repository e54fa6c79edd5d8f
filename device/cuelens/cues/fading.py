"""Prompt fading: the more often the wearer answers first, the later and the less often cues come unasked.

A skill that is always prompted depends on the prompt. The mode `explore` asks what a face shows before it tells. Fading
stores one bit for each of the last questions: whether the wearer pressed before the answer. Pure.
"""

import msgspec


class FadingRule(msgspec.Struct, frozen=True):
    """The fading curve: linear from no delay and every cue at level 0 to `latest_s` and one in `rarest` at level 1.

    Attributes:
        on: False holds the level at 0.
        answers: length of the history, in questions.
        latest_s: delay at level 1, in seconds.
        rarest: at level 1, one expression in so many is told.
    """

    on: bool = True
    answers: int = 12
    latest_s: float = 2.0
    rarest: int = 3


class Faded(msgspec.Struct, frozen=True):
    """A point on the fading curve.

    Attributes:
        level: share of the last questions that the wearer answered first, 0 to 1.
        delay_s: delay of a cue, in seconds.
        every: one expression in so many is told.
    """

    level: float
    delay_s: float
    every: int


def faded(answered_first: tuple[bool, ...], rule: FadingRule) -> Faded:
    """Return the wearer's point on the curve. answered_first: for each past question, whether the wearer was first.

    A history shorter than `rule.answers` is filled up with False, so that fading begins slowly.
    """
    return at(sum(answered_first[-rule.answers :]) / rule.answers if rule.on else 0.0, rule)


def at(level: float, rule: FadingRule) -> Faded:
    """Return the point at a level: 0 if the wearer answered no question first, 1 if all."""
    return Faded(level, round(level * rule.latest_s, 3), 1 + round(level * (rule.rarest - 1)))


def remember(answered_first: tuple[bool, ...], now: bool, rule: FadingRule) -> tuple[bool, ...]:
    """Return the history with one more outcome, cut to its last `rule.answers`."""
    return (*answered_first, now)[-rule.answers :]
