"""Which settled expressions were told, shared by companion and explore: the last one of each face. Pure."""

from cuelens.cues.modes.mode import Moment

Settled = tuple[int | None, float]
"""A settled expression: track of the face, and when it settled."""


def settled(moment: Moment) -> Settled:
    """Return the settled expression of the attended face."""
    return moment.track, moment.since_t


def recorded(history: tuple[Settled, ...], moment: Moment) -> tuple[Settled, ...]:
    """Return the history with the expression of the attended face, without faces that are not remembered any more."""
    others = (one for one in history if one[0] in moment.remembered and one[0] != moment.track)
    return (*others, settled(moment))
