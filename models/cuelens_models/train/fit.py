"""Training one network on soft targets, one checkpoint an epoch, resumable at any of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import keras

from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import CurvePoint, TrainingRecord
from cuelens_models.data.faces import CROP, SIDE, Faces
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import label
from cuelens_models.errors import BadInput
from cuelens_models.evaluate.metrics import fit_biases
from cuelens_models.train.batches import Views
from cuelens_models.train.checkpoints import RunFolder
from cuelens_models.train.precision import in_float32
from cuelens_models.train.targets import HEADS, Head
from cuelens_models.train.validation import Judge
from cuelens_models.zoo import cuelens, teacher
from cuelens_models.zoo.pretrained import Pretrained

if TYPE_CHECKING:
    from cuelens_models.train.distributed import Team

_RATE: Final = 2e-3
_DECAY: Final = 0.05
_WARM_UP: Final = 0.05
_LOOKED_AT: Final = 512
"""Faces that set the batch norm of a network that begins from trained weights."""
_AVERAGED: Final = 0.06
"""The share of all steps that the averaged weights look back over (an exponential moving average)."""
_HEAD_WEIGHTS: Final = {"votes": 1.0, "original": 0.5}
_BUILDERS: Final = {cuelens.NAME: cuelens.build, teacher.NAME: teacher.build}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained and how long. precision: "float32", or "bfloat16" for most of the arithmetic.

    teachers, teacher_epochs: of those that are trained for it. began_from: the checksum of the weights that it, or
    they, began from. taught_by: that of the files of other teachers.
    """

    recipe: str
    epochs: int
    seed: int
    precision: str = "float32"
    teachers: int = 0
    teacher_epochs: int = 0
    began_from: str = ""
    taught_by: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a stage stands, for whoever shows it. done: epochs, with the fraction of the running one; views."""

    done: float
    loss: float | None


Say = Callable[[Progress | CurvePoint], None]


def heads_for(data: FaceData) -> tuple[Head, ...]:
    """Return the heads that the data has labels for. Raises BadInput if there is none."""
    found = tuple(head for head in HEADS if _labelled(data, head))
    if not found:
        raise BadInput(f"{data.name} has neither votes nor original labels to learn from")
    return found


def _labelled(data: FaceData, head: Head) -> bool:
    try:
        for faces in (data.training, data.inner):
            label(faces, head.protocol)
    except BadInput:
        return False
    return True


def folder_of(data: FaceData, out: Path, plan: Plan, team: "Team | None" = None) -> RunFolder:
    """Open the folder of a training. Raises BadInput if it holds another one."""
    told = {
        "data": data.name,
        "data_sha256": data.digest(),
        "heads": [head.name for head in heads_for(data)],
        **asdict(plan),
    }
    if team is None:
        return RunFolder(out, told)
    first = RunFolder(out, told) if team.writes else None
    team.wait()
    return first or RunFolder(out, told, writes=False)


def train(
    data: FaceData,
    batches: Views,
    run: RunFolder,
    plan: Plan,
    say: Say,
    team: "Team | None" = None,
    pretrained: Pretrained | None = None,
) -> list[CurvePoint]:
    """Train a network, judge each epoch on the inner split, keep it in `run`, and return its curve.

    An unfinished training goes on after its last whole epoch, with the same curve as if it had never stopped.
    pretrained: what a teacher begins from.
    """
    heads = heads_for(data)
    curve = run.curve()
    if len(curve) < plan.epochs:
        keras.utils.set_random_seed(plan.seed)
        with team.strategy.scope() if team else nullcontext():
            network = run.network(len(curve)) if curve else compiled(plan, heads, plan.epochs * len(batches))
            if pretrained and not curve:
                teacher.begin(network, pretrained, model_inputs(data.training.pixels[:_LOOKED_AT], fed()))
            # Keras saves everything else of an optimizer, but not this.
            network.optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        averaged = run.averaged(len(curve)) if curve else built(plan.recipe, heads)
        if not curve:
            averaged.set_weights(network.get_weights())
        keeper = _Keeper(averaged, run, curve, [Judge(data.inner, head, fed()) for head in heads], plan, batches, say)
        if team:
            team.fit(network, batches, len(curve), plan.epochs, keeper)
        else:
            # The batches are shuffled already, by a seed that a resumed training knows.
            network.fit(
                batches, initial_epoch=len(curve), epochs=plan.epochs, shuffle=False, verbose=0, callbacks=[keeper]
            )
    if team is None or team.writes:
        for head in heads:
            _export(run, head, record_of(data, plan, head, curve), data.training)
    if team:
        team.wait()
    return curve


def record_of(data: FaceData, plan: Plan, head: Head, curve: list[CurvePoint]) -> TrainingRecord:
    """Return what the `.keras` file of a head says about itself."""
    how = fed()
    return TrainingRecord(
        recipe=plan.recipe + head.suffix,
        labels=list(head.labels),
        protocol=head.protocol,
        multiply=how.multiply,
        add=how.add,
        per_image=how.per_image,
        crop=how.crop,
        data=data.name,
        epochs=plan.epochs,
        seed=plan.seed,
        curve=curve,
    )


def fed() -> Input:
    """Return how our networks are fed: one luminance plane, standardised by its own mean and deviation."""
    return Input(
        height=SIDE,
        width=SIDE,
        channels=1,
        dtype="float32",
        scale=0.0,
        zero_point=0,
        multiply=1.0,
        add=0.0,
        per_image=True,
        crop=CROP,
    )


def built(recipe: str, heads: tuple[Head, ...], precision: str = "float32") -> keras.Model:
    """Return a fresh network whose arithmetic, but for its last layers, has this precision."""
    with arithmetic(precision):
        return _BUILDERS[recipe]({head.name: len(head.labels) for head in heads})


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Layers that are made meanwhile compute in this precision, but for those that name their own."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compiled(plan: Plan, heads: tuple[Head, ...], steps: int) -> keras.Model:
    """Return a fresh network, ready to be fitted for this many steps."""
    network = built(plan.recipe, heads, plan.precision)
    warm_up = max(1, round(_WARM_UP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        _RATE / 20, max(1, steps - warm_up), alpha=0.002, warmup_target=_RATE, warmup_steps=warm_up
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=_DECAY),
        loss={head.name: keras.losses.CategoricalCrossentropy(from_logits=True) for head in heads},
        loss_weights={head.name: _HEAD_WEIGHTS[head.name] for head in heads},
        # XLA is several times slower than plain kernels for small convolutions on a CPU.
        jit_compile=False,
    )
    return network


def _export(run: RunFolder, head: Head, said: TrainingRecord, faces: Faces) -> None:
    """Write the best network with this head alone, as the `.keras` file that the converter takes.

    Its last biases are those that suit the clear faces of training, by which its protocol judges: it learned from the
    doubtful ones too, whose votes say less of rare expressions.

    One that is there already is left alone: Keras dates its files, and bundles know theirs by its checksum.
    """
    if is_written(run, said):
        return
    whole = run.best()
    judge = Judge(faces, head, fed())
    dense = whole.get_layer(head.name)
    kernel, bias = dense.get_weights()
    bias[: judge.asked] += fit_biases(judge.logits(whole), judge.truth)
    dense.set_weights([kernel, bias])
    write(run, whole, head, said)


def is_written(run: RunFolder, said: TrainingRecord) -> bool:
    """Return whether the `.keras` file of this record is there already."""
    target = run.path / f"{said.recipe}.keras"
    return target.exists() and training_record.read(target) == said


def write(run: RunFolder, whole: keras.Model, head: Head, said: TrainingRecord) -> None:
    """Write a network with one of its heads alone as `RECIPE.keras`, with its record in it."""
    # Keras allows no dash in a name.
    name = said.recipe.replace("-", "_")
    write_network(run.path, keras.Model(whole.inputs, whole.get_layer(head.name).output, name=name), said)


def write_network(folder: Path, network: keras.Model, said: TrainingRecord) -> Path:
    """Write a network as `RECIPE.keras`, with its record in it, and return where it is."""
    partial = folder / "finished.partial.keras"
    in_float32(network)
    network.save(partial)
    training_record.write(partial, said)
    return partial.replace(folder / f"{said.recipe}.keras")


def seed_dropout(network: keras.Model, seed: int, epoch: int) -> None:
    """Make dropout follow from seed and epoch: Keras saves everything else, but not where its dropout stands."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, epoch])


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Averages the weights at each step; judges, keeps and tells each epoch."""

    def __init__(
        self,
        averaged: keras.Model,
        run: RunFolder,
        curve: list[CurvePoint],
        judges: list[Judge],
        plan: Plan,
        batches: Views,
        say: Say,
    ) -> None:
        super().__init__()
        self._averaged, self._run, self._curve, self._judges = averaged, run, curve, judges
        self._plan, self._batches, self._say = plan, batches, say
        self._steps = len(curve) * len(batches)
        self._looks_back = max(1.0, _AVERAGED * plan.epochs * len(batches))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._batches.epoch = epoch + 1
        seed_dropout(self.model, self._plan.seed, epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # else the weights are those of the epoch's beginning
        self._steps += 1
        stays = min(1 - 1 / self._looks_back, (1 + self._steps) / (10 + self._steps))
        for kept, new in zip(self._averaged.weights, self.model.weights, strict=True):
            if keras.backend.is_float_dtype(new.dtype):
                kept.assign(kept.value * stays + keras.ops.cast(new.value, kept.dtype) * (1 - stays))
        self._say(Progress(len(self._curve) + (batch + 1) / len(self._batches), (logs or {}).get("loss")))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        accuracy = {judge.head.protocol: judge.accuracy(self._averaged) for judge in self._judges}
        point = CurvePoint(number=epoch + 1, loss=float((logs or {})["loss"]), accuracy=accuracy)
        self._curve.append(point)
        self._run.save(self.model, self._curve, self._averaged)
        self._say(point)
