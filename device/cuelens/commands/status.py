"""`cuelens status`: how the running glasses are, in plain words."""

from collections.abc import Iterator
from pathlib import Path

from cuelens import settings
from cuelens.commands import metrics
from cuelens.health.words import TROUBLE
from cuelens.link import address, client
from cuelens.link.replies import Health
from cuelens.link.requests import AskHealth
from cuelens_models.command import to_json
from cuelens_models.errors import BadInput


def status(config: Path | None, form: str) -> int:
    """Print how the running glasses are. Returns 1 if they are in trouble, else 0. Raises AbsentDevice without glasses.

    Args:
        config: settings of the hardware, whose state folder may hold the socket.
        form: text, json, or metrics for Prometheus.
    """
    state = settings.read(config or settings.usual_path()).state_dir()
    health = client.exchange(AskHealth(), address.known(state))
    if not isinstance(health, Health):
        raise BadInput("the glasses do not tell how they are: use the same version of cuelens on both sides")
    if form == "json":
        print(to_json(health))
    elif form == "metrics":
        print(metrics.text(health), end="")
    else:
        for line in _lines(health):
            print(line)
    return 1 if health.state in TROUBLE or health.taken_back else 0


def _lines(health: Health) -> Iterator[str]:
    yield f"{health.state}: {health.words}" if health.words else health.state
    if health.taken_back:
        yield (
            f"safe mode: {_and(health.taken_back)} as of the last good minute, for the glasses could not start with"
            " what was changed; change it again, and it is tried again"
        )
    yield f"  {_rates(health)}"
    yield f"  {_board(health)}"
    yield f"  profile {health.profile or 'of the factory'}, mode {health.mode}; bundle {health.title}"
    starts = f", start {health.starts} since the board was switched on" if health.starts else ""
    yield f"  up for {_span(health.up_s)}{starts}; {sum(health.cues.values())} cues given"
    if not health.faults:
        yield "nothing was reported since the start"
    else:
        yield "reported since the start:"
    for one in health.faults:
        often = f", {one.times} times" if one.times > 1 else ""
        yield f"  {one.fault} ({_span(one.ago_s)} ago{often}): {one.words}"
        yield f"    {one.detail}"


def _rates(health: Health) -> str:
    age = "" if health.frame_age_ms_p95 is None else f", 95 % of them at most {health.frame_age_ms_p95:.0f} ms old"
    return (
        f"{health.camera_fps:g} frames and {health.beat_fps:g} beats a second{age};"
        f" {health.dropped} frames dropped, {health.skipped} skipped"
    )


def _board(health: Health) -> str:
    heat = "temperature not known" if health.temperature_c is None else f"{health.temperature_c:.0f} C"
    supply = {None: "supply not known", True: "the supply is too weak", False: "supply good"}[health.under_voltage]
    return f"{heat}, {supply}, {health.memory_mb:.0f} MB of memory"


def _span(seconds: float) -> str:
    """Return a length of time in the two largest units."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _and(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
