"""Fading: the more often the wearer answers first, the later and the less often cues come by themselves.

A skill that is only ever prompted stays with the prompt. `explore` asks what a face shows before it tells; whether the
wearer's press came before the answer is remembered of the last questions, and nothing else. Pure.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FadingRule:
    """The curve's ends. answers: how many questions are looked back on. latest_s, rarest: at all answered first."""

    on: bool = True
    answers: int = 12
    latest_s: float = 2.0
    rarest: int = 3


@dataclass(frozen=True, slots=True)
class Faded:
    """Where a wearer stands on the curve. delay_s: how much later cues come. every: one in so many is given."""

    level: float
    delay_s: float
    every: int


def faded(answered_first: tuple[bool, ...], rule: FadingRule) -> Faded:
    """Return where a wearer stands. first: of the last questions, whether the wearer answered before the glasses did.

    Questions that were not asked yet count as not answered first, so that fading begins slowly.
    """
    return at(sum(answered_first[-rule.answers :]) / rule.answers if rule.on else 0.0, rule)


def at(level: float, rule: FadingRule) -> Faded:
    """Return the curve at a level, 0 (nothing was answered first) to 1 (everything)."""
    return Faded(level, round(level * rule.latest_s, 3), 1 + round(level * (rule.rarest - 1)))


def remembered(answered_first: tuple[bool, ...], now: bool, rule: FadingRule) -> tuple[bool, ...]:
    """Return the outcomes of the last questions with one more."""
    return (*answered_first, now)[-rule.answers :]
