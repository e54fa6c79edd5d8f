"""Training a recipe on soft targets, one checkpoint an epoch, resumable at any of them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models import record
from cuelens_models.augment import augment
from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import label, without_single_votes
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.record import TrainingRecord
from cuelens_models.whole_file import write_whole
from cuelens_models.zoo import cuelens

BATCH: Final = 96
_RATE: Final = 2e-3
_WARM_UP: Final = 0.05
CROP: Final = CropRule(detector="haar-alt2", scale=1.02, shift_y=0.0)
"""What a FER face is to a Haar box, as benchmarks/crop_geometry.py measures it."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch came to. inner_accuracy: on the inner split, under the recipe's protocol."""

    number: int
    loss: float
    inner_accuracy: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, for whoever shows it."""

    epoch: int
    step: int
    steps: int
    loss: float


def targets(faces: Faces, labels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return soft targets (n, labels) from the votes, and weights (n,): the share of votes that are expressions.

    Single votes are dropped. A face that nobody could name weighs nothing.
    """
    ballots = without_single_votes(faces.votes)[:, :labels].astype(np.float32)
    named = ballots.sum(axis=1)
    everything = np.maximum(without_single_votes(faces.votes).sum(axis=1), 1)
    return ballots / np.maximum(named, 1)[:, np.newaxis], (named / everything).astype(np.float32)


def train(
    data: FaceData, out: Path, epochs: int, seed: int, say: Callable[[Progress | Epoch], None]
) -> tuple[Path, list[Epoch]]:
    """Train the recipe `cuelens` and return the path of its best `.keras` (by the inner split) and the curve.

    An unfinished training in `out` goes on after its last whole epoch, with the same curve as if it had never stopped.
    Raises BadInput if it was another one.
    """
    plan = {"recipe": cuelens.NAME, "data": data.name, "faces": len(data.training), "epochs": epochs, "seed": seed}
    labels = label(data.inner, cuelens.PROTOCOL).labels
    said = TrainingRecord(
        recipe=cuelens.NAME,
        labels=list(labels),
        protocol=cuelens.PROTOCOL,
        multiply=1 / 255,
        add=0.0,
        per_image=False,
        crop=CROP,
        data=data.name,
        epochs=epochs,
        seed=seed,
    )
    run = _Run(out, plan)
    curve = run.curve()
    batches = _Batches(data.training, len(labels), said.float_input(48, 48, 1), seed)
    keras.utils.set_random_seed(seed)
    model = run.model(len(curve)) if curve else _compiled(len(labels), epochs * len(batches))
    inner = _Judge(data.inner, cuelens.PROTOCOL, said.float_input(48, 48, 1))
    for number in range(len(curve) + 1, epochs + 1):
        batches.epoch = number
        _seed_dropout(model, seed, number)
        report = _Report(number, len(batches), say)
        # The batches are shuffled already, by a seed that a resumed training knows.
        history = model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[report])
        curve.append(Epoch(number, float(history.history["loss"][-1]), inner.accuracy(model)))
        run.save(model, curve)
        say(curve[-1])
    best = out / f"{cuelens.NAME}.keras"
    partial = out / "finished.partial.keras"
    finished = run.open(run.best)
    finished.save(partial)
    record.write(partial, said)
    partial.replace(best)
    return best, curve


class _Run:
    """The folder of one training: its plan, its curve, the weights of its last and of its best epoch."""

    def __init__(self, out: Path, plan: dict[str, Any]) -> None:
        self._plan_file = out / "plan.json"
        self._curve_file = out / "curve.json"
        self.best = out / "best.keras"
        try:
            out.mkdir(parents=True, exist_ok=True)
            if self._plan_file.exists():
                if json.loads(self._plan_file.read_text()) != plan:
                    raise BadInput(
                        f"{out} holds another training: choose another --out, or the options that it began with"
                    )
            else:
                write_whole(self._plan_file, json.dumps(plan, indent=2).encode())
        except OSError as error:
            raise Unwritable(f"{out} cannot be written to: {error.strerror}") from error
        except json.JSONDecodeError as error:
            raise BadInput(f"{self._plan_file} is damaged: choose another --out") from error

    def curve(self) -> list[Epoch]:
        if not self._curve_file.exists():
            return []
        try:
            return [Epoch(**epoch) for epoch in json.loads(self._curve_file.read_text())]
        except (ValueError, TypeError) as error:
            raise BadInput(f"{self._curve_file} is damaged: choose another --out") from error

    def model(self, epoch: int) -> keras.Model:
        return self.open(self._weights(epoch))

    @staticmethod
    def open(path: Path) -> keras.Model:
        try:
            return keras.models.load_model(path)
        except Exception as error:
            # Keras raises whatever its parts raise on a damaged file.
            raise BadInput(f"{path} is damaged: choose another --out") from error

    def save(self, model: keras.Model, curve: list[Epoch]) -> None:
        """Keep this epoch. The curve is written last: an epoch counts once its weights are safe under its number."""
        number = curve[-1].number
        partial = self._plan_file.with_name("partial.keras")
        model.save(partial)
        if curve[-1].inner_accuracy >= max(epoch.inner_accuracy for epoch in curve):
            shutil.copyfile(partial, self.best)
        partial.replace(self._weights(number))
        write_whole(self._curve_file, json.dumps([asdict(epoch) for epoch in curve], indent=2).encode())
        self._weights(number - 1).unlink(missing_ok=True)

    def _weights(self, epoch: int) -> Path:
        return self._plan_file.with_name(f"epoch{epoch:03}.keras")


def _compiled(labels: int, steps: int) -> keras.Model:
    model = cuelens.build(labels)
    warm_up = max(1, round(_WARM_UP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        _RATE / 20, max(1, steps - warm_up), alpha=0.002, warmup_target=_RATE, warmup_steps=warm_up
    )
    # XLA is several times slower than plain kernels for small convolutions on a CPU.
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Begin an epoch in a state that follows from its number: Keras saves everything else, but not this."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, epoch])


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Augmented batches; which face stands where, and what happens to it, follow from seed and epoch alone."""

    def __init__(self, faces: Faces, labels: int, wanted: Input, seed: int) -> None:
        super().__init__()
        self._pixels = faces.pixels
        self._targets, self._weights = targets(faces, labels)
        self._wanted = wanted
        self._seed = seed
        self.epoch = 1

    def __len__(self) -> int:
        return len(self._pixels) // BATCH or 1

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
        order = np.random.default_rng((self._seed, self.epoch)).permutation(len(self._pixels))
        chosen = order[index * BATCH : (index + 1) * BATCH]
        random = np.random.default_rng((self._seed, self.epoch, index))
        faces = np.stack([augment(face, random) for face in self._pixels[chosen]])
        return model_inputs(faces, self._wanted), self._targets[chosen], self._weights[chosen]


class _Judge:
    """Accuracy of a float network on the faces of a protocol."""

    def __init__(self, faces: Faces, protocol: str, wanted: Input) -> None:
        labelled = label(faces, protocol)
        self._inputs = model_inputs(faces.pixels[labelled.chosen], wanted)
        self._truth = labelled.truth

    def accuracy(self, model: keras.Model) -> float:
        answers = model.predict(self._inputs, batch_size=256, verbose=0)
        return float((answers.argmax(axis=1) == self._truth).mean())


class _Report(keras.callbacks.Callback):  # type: ignore[misc]
    """Passes each finished step on."""

    def __init__(self, epoch: int, steps: int, say: Callable[[Progress | Epoch], None]) -> None:
        super().__init__()
        self._epoch, self._steps, self._say = epoch, steps, say

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._say(Progress(self._epoch, batch + 1, self._steps, (logs or {}).get("loss", float("nan"))))
