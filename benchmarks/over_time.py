"""Compare a small recurrent network with the smoothing of the glasses: which settles sooner, or more calmly?

    python benchmarks/over_time.py --data DATA [--minutes N] [--epochs N] [--seed N]

Streams are made of real faces at 15 readings a second: a face shows an expression for 2 to 4 seconds, then another is
neutral for 3 to 8. Faces tremble a little, and every frame has the faults of a small camera. The shipped bundle reads
them. A GRU of 24 units learns from streams of the inner split; both are measured on streams of the held-out faces. A
hit is an episode whose expression is settled on before it ends; its delay counts from the first frame. A flip is a
settled expression that is not shown, nor was in the half second before. Each line is one trade-off between the two:
the caution of the profile sets it for the smoothing, a threshold for the network.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens.cues.settling import SettleRule, settle
from cuelens.profile.profile import Policy, Profile
from cuelens.profile.rules import settle_rule
from cuelens_models.bundle import file
from cuelens_models.bundle.expressions import UNSURE
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.scores import probabilities
from cuelens_models.data.augment import Movement, move
from cuelens_models.data.corruptions import CORRUPTIONS
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import load
from cuelens_models.data.protocols import label

RATE = 15
TREMBLE = Movement(turn=4, zoom=0.05, shift=0.03)
GRACE_S = 0.5
WINDOW = 150
UNITS = 24


@dataclass(frozen=True)
class Stream:
    """shown: the true label of each frame (n,). readings: the bundle's probabilities (n, labels)."""

    shown: NDArray[np.str_]
    readings: NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """hits: share of the episodes. delays: of the hits, in seconds. flips: in ten minutes."""

    hits: float
    delays: NDArray[np.float64]
    flips: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=30, help="of each of the two streams (%(default)s)")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = load(options.data)
    bundle = file.load(file.SHIPPED)
    labels = bundle.contract.labels
    interpreter = Interpreter(bundle)

    def read(face: NDArray[np.uint8]) -> NDArray[np.float64]:
        return probabilities(interpreter.outputs(face)[np.newaxis], bundle.contract)[0]

    training = make_stream(data.inner, read, options.minutes, options.seed)
    held_out = make_stream(data.held_out, read, options.minutes, options.seed + 1)
    network = train(training, labels, options.epochs, options.seed)
    beliefs = network.predict(inputs(held_out)[np.newaxis], verbose=0)[0]
    print("                      hits   delay p50  p95    flips in 10 min")
    for caution in (-1.0, -0.5, 0.0, 0.5, 1.0):
        rule = settle_rule(Profile(policy=Policy(caution=caution)), labels, bundle.contract.probabilities.usual)
        print(line(f"settled, caution {caution:+.1f}", judge(list(expressions(held_out, rule)), held_out.shown)))
    for threshold in (0.5, 0.7, 0.9, 0.95, 0.98, 0.99):
        words = np.where(beliefs.max(axis=1) >= threshold, np.array(labels)[beliefs.argmax(axis=1)], UNSURE)
        print(line(f"network, over {threshold:.2f} ", judge(words.tolist(), held_out.shown)))


def make_stream(
    faces: Faces, read: Callable[[NDArray[np.uint8]], NDArray[np.float64]], minutes: int, seed: int
) -> Stream:
    """Return a stream of neutral faces with episodes of expressions between them."""
    random = np.random.default_rng(seed)
    labelled = label(faces, "ferplus8")
    by_label = {word: labelled.indices[labelled.truth == index] for index, word in enumerate(labelled.labels)}
    words = [word for word in ("happy", "surprise", "sad", "angry") if len(by_label[word])]
    shown: list[str] = []
    readings = []
    while len(shown) < minutes * 60 * RATE:
        for word, shortest, longest in (("neutral", 3, 8), (str(random.choice(words)), 2, 4)):
            face = faces.pixels[random.choice(by_label[word])]
            for _ in range(int(random.uniform(shortest, longest) * RATE)):
                readings.append(read(CORRUPTIONS["camera"](move(face, TREMBLE, random), random)))
                shown.append(word)
    return Stream(np.array(shown), np.array(readings))


def inputs(stream: Stream) -> NDArray[np.float32]:
    return np.log(np.maximum(stream.readings, 1e-4)).astype(np.float32)


def train(stream: Stream, labels: list[str], epochs: int, seed: int) -> keras.Model:
    """Return a network that learned the true labels from ten-second windows of a stream."""
    keras.utils.set_random_seed(seed)
    readings = keras.Input((None, len(labels)))
    x = keras.layers.GRU(UNITS, return_sequences=True)(readings)
    network = keras.Model(readings, keras.layers.Dense(len(labels), activation="softmax")(x))
    network.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    starts = np.arange(0, len(stream.shown) - WINDOW, WINDOW // 5)
    values = inputs(stream)
    truth = np.array([labels.index(word) for word in stream.shown])
    windows = np.stack([values[start : start + WINDOW] for start in starts])
    network.fit(windows, np.stack([truth[start : start + WINDOW] for start in starts]), 32, epochs, verbose=0)
    return network


def expressions(stream: Stream, rule: SettleRule) -> Iterator[str]:
    belief = None
    for number, scores in enumerate(stream.readings):
        belief = settle(belief, scores.tolist(), number / RATE, rule)
        yield belief.expression


def judge(words: list[str], shown: NDArray[np.str_]) -> Outcome:
    """Compare the settled expression of each frame with the true label."""
    starts = np.flatnonzero(np.r_[True, shown[1:] != shown[:-1]])
    ends = np.r_[starts[1:], len(shown)]
    delays, episodes, flips = [], 0, 0
    for start, end in zip(starts, ends, strict=True):
        if shown[start] == "neutral":
            continue
        episodes += 1
        right = [place for place in range(start, end) if words[place] == shown[start]]
        delays += [(right[0] - start) / RATE] if right else []
    for place in range(1, len(words)):
        if words[place] in (words[place - 1], UNSURE, "neutral"):
            continue
        flips += words[place] not in shown[max(0, place - int(GRACE_S * RATE)) : place + 1]
    return Outcome(len(delays) / max(episodes, 1), np.array(delays or [np.nan]), flips / (len(words) / RATE / 600))


def line(name: str, outcome: Outcome) -> str:
    p50, p95 = np.quantile(outcome.delays, (0.5, 0.95))
    return f"{name}  {outcome.hits:6.1%}  {p50:8.2f} s  {p95:.2f} s  {outcome.flips:10.1f}"


if __name__ == "__main__":
    main()
