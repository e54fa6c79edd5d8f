"""False cues against expressions missed, by the shipped policy, on streams of made-up hours.

    python benchmarks/false_cues.py [--minutes 60] [--seeds 1 2 3] [--write FOLDER]
    python benchmarks/false_cues.py --gather DATA        # after a new network: reads the faces again

Streams of readings, fifteen a second: 12 episodes of two seconds in ten minutes, at least ten seconds apart, in which a
face shows something else than neutral, as often as among the held-out faces. A neutral face is there for two seconds
before and after each; between them a neutral face (70 % of the time), nobody (20 %), or somebody who talks (10 %). What
the model says persists as it does before a camera: for 0.5 to 1.5 seconds it is what it said of one held-out face of
that expression, seen by a small camera (`readings.npz`, next to this), and trembles. A mouth that talks looks like
anything for a third of the time, for 0.2 to 0.5 seconds.
"""

import argparse
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuelens import events
from cuelens.assemble import mind_of
from cuelens.profile import Policy, Profile, Sound
from cuelens.replay import Verdict, episodes, judge, lines, play
from cuelens_models.bundle.file import SHIPPED, load

RATE: Final = 15
EPISODE_S: Final = 2.0
SLOT_S: Final = 50.0
TREMBLE: Final = 0.3
"""Standard deviation of what is added to the logarithms of probabilities, anew in every reading."""
POOL: Final = Path(__file__).with_name("readings.npz")


@dataclass(frozen=True)
class Pool:
    """What the bundle says of real faces. truth: (n,), the label's place. scores: (n, labels)."""

    labels: list[str]
    truth: NDArray[np.int64]
    scores: NDArray[np.float64]


@lru_cache
def pool(part: str) -> Pool:
    """Return the readings that streams are made of: of held-out faces, or of the inner split's."""
    with np.load(POOL) as kept:
        labels = [str(label) for label in kept["labels"]]
        return Pool(labels, kept[f"{part}_truth"].astype(int), kept[f"{part}_scores"].astype(float))


def gather(folder: Path) -> None:
    """Read faces as a small camera sees them, and keep what the bundle says."""
    from cuelens_models.bundle.interpreter import Interpreter
    from cuelens_models.bundle.scores import probabilities
    from cuelens_models.corrupt import corrupted
    from cuelens_models.data.load import load as load_faces
    from cuelens_models.data.protocols import label

    bundle = load(SHIPPED)
    interpreter = Interpreter(bundle)
    data = load_faces(folder)
    kept = {"labels": np.array(bundle.contract.labels)}
    for part, faces in (("held_out", data.held_out), ("inner", data.inner)):
        chosen = label(faces, "ferplus8")
        seen = corrupted(faces.pixels[chosen.chosen], "camera")
        scores = probabilities(np.stack([interpreter.outputs(face) for face in seen]), bundle.contract)
        kept |= {f"{part}_truth": chosen.truth.astype(np.uint8), f"{part}_scores": scores.astype("f2")}
        print(f"{part}: {len(scores)} readings")
    np.savez_compressed(POOL, **kept)


class Stream:
    """Makes the events of one stream."""

    def __init__(self, seed: int, part: str = "held_out") -> None:
        self._random = np.random.default_rng(seed)
        self._pool = pool(part)
        self._neutral = self._pool.labels.index("neutral")
        self._others = np.flatnonzero(self._pool.truth != self._neutral)
        self._track = 0
        self._there = False
        self._t = 0.0
        self.events: list[events.AnyEvent] = []

    def make(self, minutes: float) -> list[events.AnyEvent]:
        """Return the events of so many minutes."""
        for slot in range(round(minutes * 60 / SLOT_S)):
            begin = slot * SLOT_S + float(self._random.uniform(2.0, SLOT_S - EPISODE_S - 10.0))
            self._pass_time(begin - 2.0)
            self._show("neutral", begin)
            truth = int(self._pool.truth[self._random.choice(self._others)])
            self._show(self._pool.labels[truth], begin + EPISODE_S)
            self._show("neutral", begin + EPISODE_S + 2.0)
            self._pass_time((slot + 1) * SLOT_S)
        return self.events

    def _pass_time(self, until: float) -> None:
        """Let a neutral face, nobody or a talker be there for some seconds each."""
        while self._t < until:
            what = self._random.choice(["neutral", "nobody", "talking"], p=[0.7, 0.2, 0.1])
            end = min(self._t + float(self._random.uniform(3.0, 8.0)), until)
            if what == "nobody":
                self._leave()
                self._t = end
            else:
                self._show("neutral", end, talking=what == "talking")

    def _leave(self) -> None:
        if self._there:
            self.events.append(events.FaceLost(t=round(self._t, 4), track=self._track))
        self._there = False

    def _show(self, expression: str, until: float, *, talking: bool = False) -> None:
        if not self._there:
            self._track += 1
            self.events.append(events.FaceSeen(t=round(self._t, 4), track=self._track, box=(270, 190, 100, 100)))
        self._there = True
        self.events.append(events.Shown(t=round(self._t, 4), track=self._track, expression=expression))
        segment_t, logs = -1.0, np.empty(0)
        while self._t < until:
            if self._t >= segment_t:
                logs, seconds = self._segment(expression, talking=talking)
                segment_t = self._t + seconds
            trembling = np.exp(logs + self._random.normal(0, TREMBLE, len(logs)))
            scores = dict(zip(self._pool.labels, (trembling / trembling.sum()).round(4).tolist(), strict=True))
            self.events.append(events.Reading(t=round(self._t, 4), track=self._track, scores=scores))
            self._t += 1 / RATE

    def _segment(self, expression: str, *, talking: bool) -> tuple[NDArray[np.float64], float]:
        """Return the logarithms of what is said of one face that shows an expression, and for how long it is."""
        faces = np.flatnonzero(self._pool.truth == self._pool.labels.index(expression))
        seconds = float(self._random.uniform(0.5, 1.5))
        if talking:
            seconds = float(self._random.uniform(0.2, 0.5))
            if self._random.random() < 1 / 3:
                faces = self._others
        return np.log(np.maximum(self._pool.scores[self._random.choice(faces)], 1e-4)), seconds


def verdict(policy: Policy, streams: list[list[events.AnyEvent]]) -> Verdict:
    """Judge a policy over some streams, sound on."""
    wearer = Profile(policy=policy, sound=Sound(on=True))
    contract = load(SHIPPED).contract
    judged = []
    for stream in streams:
        cues = play(stream, mind_of(wearer, contract, ["light", "voice"]))
        last_t = next(event.t for event in reversed(stream) if isinstance(event, events.Reading))
        judged.append(judge(cues, episodes(stream), last_t))
    return Verdict(
        sum(one.minutes for one in judged),
        sum(one.episodes for one in judged),
        sum(one.in_time for one in judged),
        tuple(sorted(delay for one in judged for delay in one.delays)),
        tuple(cue for one in judged for cue in one.false),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the streams, for `cuelens replay`")
    parser.add_argument("--gather", type=Path, metavar="DATA", help="make readings.npz again")
    given = parser.parse_args()
    if given.gather:
        gather(given.gather)
        return
    streams = [Stream(seed).make(given.minutes) for seed in given.seeds]
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for seed, stream in zip(given.seeds, streams, strict=True):
            (given.write / f"stream-{seed}.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, stream)))
    print(f"the shipped policy, {len(streams)} streams of {given.minutes:g} minutes:")
    for line in lines(verdict(Policy(), streams)):
        print(f"  {line}")


if __name__ == "__main__":
    main()
