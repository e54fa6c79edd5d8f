"""Smiles of people photographed twice, through the whole pipeline: how many are told, how soon; and false cues.

    python benchmarks/pairs.py --data DATA [--smile-first] [--seeds 1 2 3 4 5] [--jobs N] [--bundle FILE]
    python benchmarks/pairs.py --clips FOLDER    # people who sign and talk: every expression cue is a false one

DATA holds `london_pairs.npz`: adults, each photographed neutral and smiling in one sitting (half of the Face Research
Lab London Set, DeBruine and Jones 2017, CC BY 4.0, doi 10.6084/m9.figshare.5047666). Nothing is chosen by these people.

A person is neutral for 6 s, then, by a hard cut, smiles for 4 s, 15 frames a second, 640x480. Both photographs keep
their common scale and place: the detector's box of the neutral face is 200 pixels high, in the middle of the frame. It
moves by 8 pixels right and left in 5 s, and by 5 up and down in 7 s. The picture beyond the photograph repeats its
border. The camera blurs by a Gaussian of 0.6 pixels, exposes 0.7 of the grey levels, and adds noise of 5 levels, new in
every frame. A seed draws the phases of the movement and the noise.

A smile is told if the light tells happy after the cut. A false cue tells an expression before the cut, or another one
after it. With --smile-first the smile is there from the first frame, for 4 s, and nothing comes before it. Each figure
is the mean over the seeds; its interval is that of as many people, for the seeds show the same ones.

Clips (`*.mkv`) are looped to two minutes, 15 frames a second, as they are.

--readings keeps what the network said, an .npz of `labels` and, by reading, `name` (of the person or clip), `seed`, `t`
(seconds) and `logs` (logarithms of the probabilities, a column for each label).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from photographs import Photograph, marked

from cuelens.adapters.files import open_file
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame, Grey
from cuelens.runtime.build import assemble
from cuelens.types import Cue
from cuelens.vision.stage_times import StageTimes
from cuelens_models import command
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.scores import dequantise, probabilities
from cuelens_models.errors import BadInput
from cuelens_models.evaluate.binomial import share_interval
from cuelens_models.progress import display

RATE: Final = 15
WIDTH: Final = 640
HEIGHT: Final = 480
NEUTRAL_S: Final = 6.0
SMILE_S: Final = 4.0
FACE_PX: Final = 200
EXPOSURE: Final = 0.7
BLUR_PX: Final = 0.6
NOISE: Final = 5.0
SWAY_PX: Final = (8.0, 5.0)
SWAY_S: Final = (5.0, 7.0)
CLIP_S: Final = 120.0


@dataclass(frozen=True)
class Pair:
    """A person, neutral and smiling, in photographs of one scale and place."""

    name: str
    neutral: Photograph
    smile: Grey


@dataclass(frozen=True)
class Watch:
    """What the pipeline made of some pictures.

    Attributes:
        name: of the person or the clip.
        seed: of the movement and the noise; 0 for a clip.
        cues: all cues.
        readings: (n, 1 + labels): the time in seconds, and the logarithms of the probabilities.
    """

    name: str
    seed: int
    cues: tuple[Cue, ...]
    readings: NDArray[np.float32]

    @property
    def expressions(self) -> list[Cue]:
        """The cues that tell an expression."""
        return [cue for cue in self.cues if cue.kind == "expression"]


def people(file: Path) -> list[Pair]:
    """Return the people of the file. Raises BadInput if it is not there, or if a face is not found."""
    if not file.is_file():
        raise BadInput(f"{file} is not there: name the folder that holds it with --data")
    with np.load(file) as data:
        rows = zip(data["person"].tolist(), data["expression"].tolist(), data["frames"], strict=True)
        pictures = {(person, expression): picture for person, expression, picture in rows}
    pairs = []
    for person in sorted({person for person, _ in pictures}):
        neutral = marked(pictures[person, "neutral"])
        if not neutral:
            raise BadInput(f"{file}: no face is found in the neutral picture of person {person}: leave that person out")
        pairs.append(Pair(str(person), neutral, pictures[person, "happy"]))
    return pairs


def before_camera(shown: Sequence[tuple[Grey, float]], face: Photograph, random: np.random.Generator) -> Iterator[Grey]:
    """Yield the frames of photographs that stand before a moving camera, uint8 (480, 640).

    Args:
        shown: the photographs, each with the seconds that it is shown.
        face: the photograph that scale and place are taken from.
        random: source of chance.
    """
    x, y, width, height = face.mark
    scale = FACE_PX / height
    middle = scale * np.array([x + width / 2, y + height / 2])
    phases = random.uniform(0, 2 * np.pi, 2)
    pictures = [picture for picture, seconds in shown for _ in range(round(seconds * RATE))]
    for number, picture in enumerate(pictures):
        sway = SWAY_PX * np.sin(2 * np.pi * number / RATE / np.array(SWAY_S) + phases)
        right, down = np.array([WIDTH, HEIGHT]) / 2 + sway - middle
        place = np.array([[scale, 0, right], [0, scale, down]])
        frame = cv2.warpAffine(picture.astype(np.float32), place, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        frame = EXPOSURE * cv2.GaussianBlur(frame, (0, 0), BLUR_PX)
        frame += NOISE * random.standard_normal(frame.shape, np.float32)
        yield np.asarray(np.clip(np.rint(frame), 0, 255), np.uint8)


def watch(name: str, seed: int, pictures: Iterable[Grey], bundle: Path) -> Watch:
    """Run the pipeline of a wearer for whom nothing was chosen, 15 pictures a second."""
    cv2.setNumThreads(1)
    interpreter = Interpreter(load(bundle))
    contract, invoke = interpreter.contract, interpreter.invoke
    readings: list[tuple[float, ...]] = []
    t = 0.0

    def recorded(tensor: NDArray[Any]) -> NDArray[Any]:
        raw = invoke(tensor)
        readings.append((t, *np.log(probabilities(dequantise(raw, contract.output), contract))))
        return raw

    vars(interpreter).update(invoke=recorded)
    beats = assemble(HaarDetector(), interpreter, StageTimes())
    cues = []
    for number, picture in enumerate(pictures):
        t = number / RATE
        cue = beats.process(Frame(picture, t, 0)).cue
        cues += [cue] if cue else []
    return Watch(name, seed, tuple(cues), np.reshape(np.float32(readings), (-1, 1 + len(contract.labels))))


def watch_pair(task: tuple[Pair, int], neutral_s: float, bundle: Path) -> Watch:
    """Watch a person with a seed. neutral_s: time before the smile, in seconds."""
    pair, seed = task
    shown = [(pair.neutral.picture, neutral_s), (pair.smile, SMILE_S)]
    frames = before_camera(shown, pair.neutral, np.random.default_rng([seed, *pair.name.encode()]))
    return watch(pair.name, seed, frames, bundle)


def watch_clip(file: Path, seconds: float, bundle: Path) -> Watch:
    """Watch a clip, over and over again for so many seconds."""
    source = open_file(file)
    pictures: list[Grey] = []
    while frame := source.read(1.0):
        # Of a faster clip the frames between two beats are left out.
        if frame.t > (len(pictures) - 0.01) / RATE:
            pictures.append(frame.grey)
    source.close()
    return watch(file.name, 0, islice(cycle(pictures), round(seconds * RATE)), bundle)


def judge(expressions: Sequence[Cue], cut_s: float) -> tuple[float | None, list[Cue]]:
    """Return how long after the cut the light tells the smile, in seconds, None if never; and the false cues.

    Args:
        expressions: the cues that tell an expression, in order of time.
        cut_s: time of the cut, in seconds.
    """
    false = [cue for cue in expressions if cue.t < cut_s or cue.word != "happy"]
    right = (cue.t - cut_s for cue in expressions if cue not in false and "light" in cue.outputs)
    return next(right, None), false


def tell_pairs(watches: Sequence[Watch], cut_s: float) -> None:
    """Print how many smiles were told, how soon, and what was told falsely."""
    verdicts = [(one, *judge(one.expressions, cut_s)) for one in watches]
    seeds = sorted({one.seed for one in watches})
    count = len(watches) // len(seeds)
    right = [sum(delay_s is not None for one, delay_s, _ in verdicts if one.seed == seed) for seed in seeds]
    false = [sum(len(cues) for one, _, cues in verdicts if one.seed == seed) for seed in seeds]
    low, high = share_interval(round(np.mean(right)), count)
    print(
        f"smiles told: {np.mean(right) / count:.1%} of {count} people (95 % interval {low:.0%} to {high:.0%});"
        f" by seed {', '.join(map(str, right))}"
    )
    print(f"false cues in all {count}: {np.mean(false):.1f}; by seed {', '.join(map(str, false))}")
    delays = [delay_s for _, delay_s, _ in verdicts if delay_s is not None]
    if delays:
        p50, p95 = np.percentile(delays, [50, 95])
        print(f"told after the cut: p50 {p50:.2f} s, p95 {p95:.2f} s")
    for one, _, cues in verdicts:
        for cue in cues:
            print(f"  false: {cue.word} at {cue.t:.2f} s, person {one.name}, seed {one.seed}")


def tell_clips(watches: Sequence[Watch], labels: Sequence[str]) -> None:
    """Print each expression cue of each clip, and how far half a second of each margin rises at most."""
    for one in watches:
        print(f"{one.name}: {len(one.readings)} readings, {len(one.expressions)} expression cues")
        logs = one.readings[:, 1:] - one.readings[:, [1 + labels.index("neutral")]]
        half_s = RATE // 2
        if len(logs) >= half_s:
            halves = np.apply_along_axis(np.convolve, 0, logs, np.full(half_s, 1 / half_s), "valid")
            rises = dict(zip(labels, halves.max(axis=0) - np.median(logs, axis=0), strict=True))
            shown = (f"{label} {rises[label]:.1f}" for label in labels if label not in ("neutral", "not_a_face"))
            print(f"  highest half second over the median, in nats: {', '.join(shown)}")
        for cue in one.expressions:
            print(f"  {cue.word} at {cue.t:.2f} s")
    print(f"expression cues in all clips: {sum(len(one.expressions) for one in watches)}")


def keep(watches: Sequence[Watch], labels: Sequence[str], file: Path) -> None:
    """Write what the network said."""
    counts = [len(one.readings) for one in watches]
    every = np.concatenate([one.readings for one in watches])
    name, seed = np.repeat([one.name for one in watches], counts), np.repeat([one.seed for one in watches], counts)
    np.savez_compressed(file, labels=np.array(labels), name=name, seed=seed, t=every[:, 0], logs=every[:, 1:])


def each(tasks: Sequence[Any], what: str, do: Callable[[Any], Watch], jobs: int) -> list[Watch]:
    """Watch people or clips, several at once, and show how far it is.

    Args:
        tasks: the people or clips.
        what: their name, beside the bar.
        do: watches one.
        jobs: number of processes.
    """
    # Spawned: OpenCV already has threads here, and a fork would lack them.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        running = pool.map(do, tasks)
        watches = []
        with display(sys.stderr) as progress:
            progress.stage(what, len(tasks))
            for one in running:
                watches.append(one)
                progress.advance()
        return watches


def work(given: argparse.Namespace) -> int:
    """Measure and print. Returns 0."""
    bundle = load(given.bundle)
    title = f"bundle {bundle.contract.title()}, {RATE} frames a second"
    if given.clips:
        clips = sorted(given.clips.glob("*.mkv"))
        if not clips:
            raise BadInput(f"{given.clips} holds no clips: name a folder of .mkv files with --clips")
        print(f"{title}; {len(clips)} clips, each looped to {given.clip_s:g} s")
        watches = each(clips, "clips", partial(watch_clip, seconds=given.clip_s, bundle=given.bundle), given.jobs)
        tell_clips(watches, bundle.contract.labels)
    else:
        pairs = people(given.data / "london_pairs.npz")
        neutral_s = 0.0 if given.smile_first else NEUTRAL_S
        print(f"{title}; {len(pairs)} people, neutral for {neutral_s:g} s, smiling for {SMILE_S:g} s")
        print(f"a face of {FACE_PX} pixels in {WIDTH}x{HEIGHT}, moved by {SWAY_PX} pixels in {SWAY_S} s")
        print(f"exposure {EXPOSURE}, blur {BLUR_PX} pixels, noise {NOISE:g} grey levels; seeds {given.seeds}")
        tasks = [(pair, seed) for seed in given.seeds for pair in pairs]
        watches = each(tasks, "people", partial(watch_pair, neutral_s=neutral_s, bundle=given.bundle), given.jobs)
        tell_pairs(watches, neutral_s)
    if given.readings:
        keep(watches, bundle.contract.labels, given.readings)
    return 0


def main() -> None:
    options = command.parser("pairs.py", __doc__)
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="DATA", help="folder of london_pairs.npz")
    what.add_argument("--clips", type=Path, metavar="FOLDER", help="clips of people who sign and talk")
    options.add_argument("--smile-first", action="store_true", help="no neutral face before the smile")
    options.add_argument("--clip-s", type=float, default=CLIP_S, metavar="SECONDS", help="length of a looped clip")
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--bundle", type=Path, default=SHIPPED, help="another network than the shipped one")
    options.add_argument("--readings", type=Path, metavar="NPZ", help="keep what the network said at every beat")
    given = options.parse_args()
    command.finish("pairs.py", partial(work, given), debug=given.debug)


if __name__ == "__main__":
    main()
