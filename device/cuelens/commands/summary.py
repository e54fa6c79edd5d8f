"""Summary of a run: counts, and the time of a beat by stage."""

from collections import Counter

from cuelens import events
from cuelens.runtime.loop import Outcome
from cuelens.vision.stage_times import StageTimes


class Tally:
    """Counts events by type."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, event: events.Event) -> None:
        """Count one event."""
        self.counts[type(event).__name__] += 1


def percentile(values: list[int], share: float) -> float:
    """Return the value under which `share` of the values lie (nearest rank)."""
    return float(sorted(values)[int(share * (len(values) - 1))])


def lines(outcome: Outcome, tally: Tally, watch: StageTimes) -> list[str]:
    """Return the summary of a run as lines of text."""
    count = tally.counts
    frames = f"{outcome.frames} frames, {outcome.beats} beats, {outcome.dropped} dropped"
    faces = f"faces found {count['FaceSeen']}, cues {count['CueGiven']}, faults {count['Fault']}"
    text = [f"{outcome.seconds:.1f} s, {frames}; {faces}"]
    if watch.beats:
        totals = [total for _, total, *_ in watch.beats]
        p50, p95 = percentile(totals, 0.5) / 1e6, percentile(totals, 0.95) / 1e6
        text.append(f"frame to decision: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    return text + stage_table(watch)


def stage_table(watch: StageTimes) -> list[str]:
    """Return a line for each kind of beat: number, p50, p95, and the share of time by stage.

    The rest is all but OpenCV's cascade and the interpreter's invoke; the crop is part of it.
    """
    table = []
    for kind, meaning in (("region", "a face followed"), ("sweep", "nobody yet"), ("none", "nothing scanned")):
        beats = [beat for beat in watch.beats if beat[0] == kind]
        if not beats:
            continue
        totals = [beat[1] for beat in beats]
        haar, crop, invoke = (sum(column) / sum(totals) for column in list(zip(*beats, strict=True))[2:])
        p50, p95 = percentile(totals, 0.5) / 1e6, percentile(totals, 0.95) / 1e6
        table.append(
            f"{meaning:<20} {len(beats):5d}  p50 {p50:6.2f} ms  p95 {p95:6.2f} ms"
            f"  haar {haar:6.1%}  invoke {invoke:5.1%}  the rest {1 - haar - invoke:6.1%} (crop {crop:.1%})"
        )
    return table
