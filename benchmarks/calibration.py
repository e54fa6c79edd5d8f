"""The family's calibration: how much better a household's faces are read after one sitting, and what it costs others.

    python benchmarks/calibration.py [persons heads pairs visitors] [--data DATA] [--people N] [--part inner]

persons: made-up persons (`sitters.py`), three near and one far of four. Each sits once; macro-recall over all eight
expressions is the share of later readings whose most probable label is the truth. The same for persons without a bias,
whose readings should stay as they are, and for families of three, who sit one after another and share a correction.
heads: synthetic people (docs/heads.md) who pose neutral, happy and surprise in one place (no sad face is drawn: it
would be no truth), and are read in three others: other light, noise, distance and turns of the head, expressions from
half strength on, and anger. A picture of which the detector finds nothing is left out, before and after.
pairs: people photographed twice (`pairs.py`), the smile first. Each sits with the neutral picture alone, under other
noise and movement, through the whole pipeline; then smiles for four seconds.
visitors: streams of persons for whom nothing was calibrated, with another household's correction: a price.

Gains are in points of macro-recall; intervals are 95 %, by the bootstrap over people. Held-out faces, people of the
split `test` and photographs report, and choose nothing; `--part inner` takes what the rules were chosen by.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pairs import SMILE_S, Pair, before_camera
from pairs import people as photographed
from persons import PersonStream
from rare import count_interval
from readings import Camera
from sitters import Sitter

from cuelens import events
from cuelens.adapters.haar import HaarDetector
from cuelens.calibration.correction import Correction, corrector
from cuelens.calibration.fitting import Fitted, fit
from cuelens.calibration.samples import Samples
from cuelens.commands.replay import episodes, play
from cuelens.commands.replay import judge as judge_stream
from cuelens.frame import Frame, Grey
from cuelens.profile.profile import Profile
from cuelens.runtime.build import assemble, policy_of
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.evaluate.binomial import share_interval

# The synthetic heads are a package of this folder's parent.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.heads.people import interval, over_people

POSED: Final = ("happy", "surprise", "sad")
CAMERAS: Final[tuple[Camera, ...]] = ("near", "near", "near", "far")
LATER: Final = 1000
"""Later readings of each expression: a point of macro-recall is 80 of them."""
WHAT: Final = ("persons", "heads", "pairs", "visitors")
RATE: Final = 15
SITTING_S: Final = 10.0
CONTRACT: Final = load(SHIPPED).contract
USUAL: Final = CONTRACT.probabilities.usual


@dataclass(frozen=True)
class Sat:
    """One person who sat. before, after: recall of each expression later, 0 to 1. helped: what the sitting said."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    helped: bool

    @property
    def gain(self) -> float:
        """The gain of macro-recall, in points."""
        return 100 * float(np.mean(self.after) - np.mean(self.before))


def recall(later: dict[str, NDArray[np.float64]], correction: Correction) -> tuple[float, ...]:
    """Return the share of readings whose most probable label is the truth, not_a_face apart, by expression."""
    change = corrector(CONTRACT.labels, correction)
    faces = CONTRACT.labels[: len(CONTRACT.labels) - ("not_a_face" in CONTRACT.labels)]
    shares = []
    for truth, rows in later.items():
        read = [change(row) if change else row for row in rows.tolist()]
        best = np.array(read)[:, : len(faces)].argmax(axis=1)
        shares.append(float((best == faces.index(truth)).mean()))
    return tuple(shares)


def sat(samples: Samples, later: dict[str, NDArray[np.float64]]) -> Sat:
    """Calibrate a household of one, and read that person later."""
    fitted = fit(samples, CONTRACT.labels, Correction(), USUAL)
    return Sat(recall(later, Correction()), recall(later, fitted.correction), fitted.helped)


def gains(name: str, people: Sequence[Sat], kinds: Sequence[str]) -> list[str]:
    """Return what was gained, in words."""
    before, after = (np.array([getattr(one, side) for one in people]) for side in ("before", "after"))
    gain, low, high = interval((after - before).mean(axis=1) * 100, lambda some: float(some.mean()))
    each, helped = np.array([one.gain for one in people]), np.mean([one.helped for one in people])
    moved = 100 * (after - before).mean(axis=0)
    changes = ", ".join(f"{kind} {change:+.1f}" for kind, change in zip(kinds, moved, strict=True))
    said = [f"{name}: macro-recall {before.mean():.1%} before, {after.mean():.1%} after"]
    said.append(f"  gained: {gain:+.2f} points ({low:+.2f} to {high:+.2f}); kept for {helped:.0%}")
    said.append(f"  more than one point lost: {(each < -1).sum()} of {len(each)}; the worst {each.min():+.2f} points")
    said.append(f"  by class, points: {changes}; the most that one moved: {np.abs(moved).max():.2f}")
    return said


def persons(given: argparse.Namespace) -> list[str]:
    """Measure made-up persons."""
    part = "inner" if given.part == "inner" else "held_out"
    seed = 500_000 if part == "inner" else 0
    said = []
    for biased, posed in ((True, POSED), (True, ()), (False, POSED), (False, ())):
        people, kinds = [], []
        for number in range(given.people or 400):
            sitter = Sitter(seed + number, part, CAMERAS[number % len(CAMERAS)], biased=biased)
            samples, later = sitter.sitting(posed), sitter.later(LATER)
            people.append(sat(samples, later))
            kinds = list(later)
        name = f"{len(people)} persons{'' if biased else ' without a bias'}, {part}, sat for neutral"
        name = ", ".join((name, *posed)) if posed else f"{name} alone"
        said += gains(name, people, kinds)
        _progress(f"persons: {name} done")
    return [*said, *families(part, seed + 200_000, (given.people or 400) // 4)]


def families(part: str, seed: int, count: int) -> list[str]:
    """Measure families of three, who sit one after another with the neutral face alone, and share a correction."""
    members = []
    for number in range(count):
        sitters = [Sitter(seed + 3 * number + one, part, CAMERAS[number % 4]) for one in range(3)]
        household = Correction()
        for sitter in sitters:
            household = fit(sitter.sitting(()), CONTRACT.labels, household, USUAL).correction
        laters = [sitter.later(LATER) for sitter in sitters]
        kept = household.people > 0
        members += [Sat(recall(later, Correction()), recall(later, household), kept) for later in laters]
    return gains(f"{len(members)} members of families of three, {part}", members, CONTRACT.labels[:8])


def heads(given: argparse.Namespace) -> list[str]:
    """Measure synthetic people."""
    from benchmarks.heads import assets
    from benchmarks.heads.sittings import sittings
    from benchmarks.heads.split import Split

    if lacks := assets.missing():
        return [f"heads: left out: {lacks}"]
    split: Split = "train" if given.part == "inner" else "test"
    read = over_people("sittings", partial(sittings, split, SHIPPED), given.people or 60, given.jobs)
    said = []
    for name, posed in (
        ("neutral, smile and surprise", ("neutral", "happy", "surprise")),
        ("neutral alone", ("neutral",)),
    ):
        people, kinds = [], []
        for one in read:
            later = {kind: rows for kind, rows in one.later.items() if len(rows)}
            if len(later) < len(one.later) or not len(one.posed["neutral"]):
                continue
            samples, t = Samples(), 0.0
            for kind in posed:
                # Each turn of the head stands for some seconds.
                for scores in one.posed[kind].tolist():
                    t += (10.0 if kind == "neutral" else 5.0) / len(one.posed[kind])
                    samples.add(kind, t, scores)
            people.append(sat(samples, later))
            kinds = list(later)
        said += gains(f"{len(people)} synthetic people, {split}, sat for {name}", people, kinds)
    return said


def run(pictures: Iterable[Grey], wearer: Profile) -> list[Any]:
    """Return the events of the whole pipeline on pictures, fifteen a second."""
    found: list[Any] = []
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes(), found.append, wearer=wearer)
    for number, picture in enumerate(pictures):
        beats.process(Frame(picture, number / RATE, 0))
    return found


def seat(pair: Pair) -> Fitted:
    """Calibrate a person by the neutral photograph alone, ten seconds, through the whole pipeline."""
    chance = np.random.default_rng([9_000, *pair.name.encode()])
    found = run(before_camera([(pair.neutral.picture, SITTING_S)], pair.neutral, chance), Profile())
    samples = Samples()
    for event in found:
        if isinstance(event, events.Reading):
            samples.add("neutral", event.t, [event.scores[label] for label in CONTRACT.labels])
    return fit(samples, CONTRACT.labels, Correction(), USUAL)


def pairs(given: argparse.Namespace) -> list[str]:
    """Measure people photographed twice, the smile first."""
    if given.data is None:
        return ["pairs: left out: name the folder of london_pairs.npz with --data"]
    people = photographed(given.data / "london_pairs.npz")[: given.people]
    kept, told, false = 0, np.zeros((2, len(people), len(given.seeds))), [0, 0]
    for number, pair in enumerate(people):
        fitted = seat(pair)
        kept += fitted.helped
        wearer = Profile(people=fitted.correction)
        for place, seed in enumerate(given.seeds):
            chance = np.random.default_rng([seed, *pair.name.encode()])
            found = run(before_camera([(pair.smile, SMILE_S)], pair.neutral, chance), wearer)
            after: list[Any] = [cue for cue in found if isinstance(cue, events.CueGiven)]
            # Events hold the readings as the network gave them.
            before: list[Any] = play(found, policy_of(Profile(), CONTRACT, ("light",)))
            for when, cues in enumerate((before, after)):
                words = [cue.word for cue in cues if cue.kind == "expression"]
                told[when, number, place] = "happy" in words
                false[when] += sum(word != "happy" for word in words)
        if number % 8 == 7:
            _progress(f"pairs: {number + 1} of {len(people)} people")
    said = [f"{len(people)} people photographed twice, the smile first, seeds {given.seeds}; kept for {kept} of them"]
    for when, name in enumerate(("before", "after")):
        rows, wrong = told[when], false[when]
        low, high = share_interval(round(rows.mean() * len(rows)), len(rows))
        said.append(
            f"  {name}: smiles told {rows.mean():.1%} (95 % interval {low:.0%} to {high:.0%}), false cues {wrong}"
            f" in {rows.size} smiles; by seed {', '.join(f'{one:.0f}' for one in rows.sum(axis=0))}"
        )
    gain, low, high = interval(told[1].mean(axis=1) - told[0].mean(axis=1), lambda some: 100 * float(some.mean()))
    return [*said, f"  gained: {gain:+.1f} points ({low:+.1f} to {high:+.1f})"]


def visitors(given: argparse.Namespace) -> list[str]:
    """Measure persons for whom nothing was calibrated, with corrections of other households."""
    part = "inner" if given.part == "inner" else "held_out"
    streams = [PersonStream(700 + seed, part).make(20) for seed in range(3)]
    households = [Correction()]
    for number in range(12):
        sitter = Sitter(800_000 + number, part, "near")
        households.append(fit(sitter.sitting(()), CONTRACT.labels, Correction(), USUAL).correction)
    said = []
    for name, some in (("nothing calibrated", households[:1]), ("others' corrections, 12 households", households[1:])):
        verdicts = []
        for household in some:
            wearer = Profile(people=household)
            for stream in streams:
                cues = play(stream, policy_of(wearer, CONTRACT, ("light",)))
                last_t = next(event.t for event in reversed(stream) if isinstance(event, events.Reading))
                verdicts.append(judge_stream(cues, episodes(stream), last_t))
            _progress(f"visitors: {len(verdicts)} streams")
        false, minutes = sum(len(one.false) for one in verdicts), sum(one.minutes for one in verdicts)
        least, most = (10 * end / minutes for end in count_interval(false))
        in_time = sum(one.in_time for one in verdicts) / sum(one.episodes for one in verdicts)
        said.append(
            f"visitors, {part}, {name}: told in time {in_time:.1%}, false cues in ten minutes"
            f" {10 * false / minutes:.2f} ({least:.2f} to {most:.2f}), {false} in {minutes:.0f} minutes"
        )
    return said


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="|".join(WHAT), help="all if left out")
    parser.add_argument("--data", type=Path, help="the folder that holds london_pairs.npz")
    parser.add_argument("--part", choices=("held_out", "inner"), default="held_out", help="inner: what chose the rules")
    parser.add_argument("--people", type=int, help="how many: 400 persons, 60 heads, all of the pairs if left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="of the pairs")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of the heads")
    given = parser.parse_args()
    if unknown := set(given.what) - set(WHAT):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(WHAT)}")
    cv2.setNumThreads(1)
    measures = {"persons": persons, "heads": heads, "pairs": pairs, "visitors": visitors}
    for name in given.what or WHAT:
        for line in measures[name](given):
            print(line, flush=True)


if __name__ == "__main__":
    main()
