"""The conversion itself, step by step: quantise, load back, compare, mend what can be mended, seal."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import keras
import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cuelens_convert import compare, representative
from cuelens_convert.compare import Judged, Limits
from cuelens_convert.dead_units import fold
from cuelens_convert.digest import content_digest
from cuelens_convert.fine_tune import fine_tuned, steps_of
from cuelens_convert.quantise import Scheme, quantised
from cuelens_convert.representative import Representative
from cuelens_convert.rewrite import static
from cuelens_convert.source import Source
from cuelens_models.bundle import file, flatbuffer, golden
from cuelens_models.bundle.contract import (
    SCHEMA,
    Contract,
    Conversion,
    Golden,
    Metrics,
    Output,
    Parity,
    Probabilities,
    Provenance,
)
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.corruptions import corrupt
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import LabelledFaces, label
from cuelens_models.errors import BadInput
from cuelens_models.evaluate import metrics
from cuelens_models.progress import Steps
from cuelens_models.version import __version__

REPRESENTATIVE: Final = 500
SEED: Final = 0
_WITH_RANGES: Final = ("int8", "int16x8")
_HAIR: Final = 0.01
"""By how much a network must name more than always the commonest expression would, to be taken for trained."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to convert. photographs: a folder of representative images instead of training faces. fine_tune: epochs."""

    scheme: Scheme = "int8"
    limits: Limits = field(default_factory=Limits)
    photographs: Path | None = None
    images: int = REPRESENTATIVE
    fine_tune: int = 0
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Attempt:
    """One converted model. network: what it was made from, of any batch.

    inner: what the model says of the inner split, (n, outputs). right: the share of those that it names rightly.
    """

    network: keras.Model
    model: bytes
    judged: Judged
    inner: Scores
    right: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a conversion. needed: what was done besides converting. refusal: why it is not to be written."""

    source: Source
    asked: Asked
    attempt: Attempt
    representative: Representative
    bundle: bytes
    contract: Contract
    needed: tuple[str, ...]
    refusal: str | None


def convert(source: Source, data: FaceData, asked: Asked, steps: Steps) -> Outcome:
    """Convert and judge. Raises BadInput if the images are no good, or the network itself knows nothing.

    If too much is lost, dead units are folded and, if asked, the network is fine-tuned. Whether that helped is seen on
    the inner split: on the held-out faces nothing is chosen.
    """
    work = _Work(source, data, asked, steps)
    best = work.attempt(source.network)
    needed = list(source.changed)
    if asked.scheme in _WITH_RANGES and compare.too_much(best.judged, asked.limits):
        steps.stage("looking for dead units")
        folded = fold(source.network, work.images)
        if folded is not None and (again := work.attempt(folded.network)).right > best.right:
            best = again
            units = ", ".join(f"{count} of {name}" for name, count in folded.units.items())
            needed.append(f"dead units folded into constants: {units}")
    if asked.fine_tune and compare.too_much(best.judged, asked.limits):
        again = work.attempt(work.tuned(best.network), tuned=True)
        best, helped = (again, "fine-tuned") if again.right > best.right else (best, "fine-tuned in vain")
        needed.append(f"{helped} for {asked.fine_tune} epochs with int8's rounding")
    contract = work.contract(best)
    refusal = compare.refusal(best.judged, asked.limits)
    bundle = file.pack(best.model, contract)
    return Outcome(source, asked, best, work.representative, bundle, contract, tuple(needed), refusal)


class _Work:
    """What all attempts share: the images, the faces to judge on, and what the float network says of those."""

    def __init__(self, source: Source, data: FaceData, asked: Asked, steps: Steps) -> None:
        self._source, self._data, self._asked, self._steps = source, data, asked, steps
        said = source.record
        self.inner, self.held = label(data.inner, said.protocol), label(data.held_out, said.protocol)
        steps.stage("choosing representative images")
        if asked.photographs is None:
            self.representative = representative.choose(data.training, said.protocol, asked.images, asked.seed)
        else:
            wanted = source.float_input
            self.representative = representative.from_photographs(asked.photographs, wanted, asked.images, asked.seed)
        self.images: NDArray[np.float32] = self.representative.inputs(source.float_input)
        steps.stage("running the network")
        self._before = self._float(source.network)
        _check_trained(self._before, self.held, source)

    def attempt(self, network: keras.Model, *, tuned: bool = False) -> Attempt:
        """Convert a network, and judge what was written."""
        self._steps.stage(f"converting to {self._asked.scheme}")
        model = quantised(static(network), self._asked.scheme, self.images)
        bundle = Bundle(model, _unsealed(model, self._source, self._asked, len(self.images)), Path(self._source.name))
        interpreter = Interpreter(bundle)
        self._steps.stage("running the written model", len(self.inner.indices) + len(self.held.indices))

        inner, held = (
            compare.converted_logits(interpreter, faces.pixels[labelled.indices], self._steps.advance)
            for faces, labelled in ((self._data.inner, self.inner), (self._data.held_out, self.held))
        )
        columns = self._source.columns
        now = self._float(network) if tuned else None
        judged = Judged(self.held.labels, self.held.truth, self._before, held[:, columns], now)
        return Attempt(network, model, judged, inner, metrics.accuracy(inner[:, columns], self.inner.truth))

    def tuned(self, network: keras.Model) -> keras.Model:
        """Return the network after it learned to bear rounding, on the training part."""
        chosen = label(self._data.training, self._source.record.protocol).indices
        learned = model_inputs(self._data.training.pixels[chosen], self._source.float_input)
        self._steps.stage("fine-tuning", steps_of(len(learned), self._asked.fine_tune))
        return fine_tuned(network, learned, self.images, self._asked.fine_tune, self._asked.seed, self._steps.advance)

    def _float(self, network: keras.Model) -> Scores:
        faces = self._data.held_out.pixels[self.held.indices]
        source = self._source
        logits = compare.float_logits(network, faces, source.float_input, probabilities=source.probabilities)
        return logits[:, source.columns]

    def contract(self, attempt: Attempt) -> Contract:
        """Return the whole contract of a model: temperature, thresholds, parity, figures and golden answers."""
        said, columns = self._source.record, np.array(self._source.columns)
        temperature = metrics.fit_temperature(attempt.inner[:, columns], self.inner.truth)
        unsealed = _unsealed(attempt.model, self._source, self._asked, len(self.images))
        interpreter = Interpreter(Bundle(attempt.model, unsealed, Path(self._source.name)))
        # What is believed is decided on faces as the glasses see them, not as collections show them.
        seen = corrupt(self._data.inner.pixels[self.inner.indices], "camera")
        self._steps.stage("choosing thresholds", len(seen))
        answers = compare.converted_logits(interpreter, seen, self._steps.advance)
        enter = metrics.enter_thresholds(softmax(answers, temperature), columns[self.inner.truth], said.labels)
        return msgspec.structs.replace(
            unsealed,
            probabilities=Probabilities(temperature=temperature, enter=enter),
            parity=attempt.judged.parity(),
            metrics=attempt.judged.scored(f"{said.protocol} on {self._data.held_out_name}", temperature),
            golden=[
                Golden(
                    formula=formula,
                    logits=[round(float(x), 6) for x in interpreter.outputs(golden.picture(formula))],
                )
                for formula in golden.FORMULAS
            ],
        )


def _check_trained(logits: Scores, held: LabelledFaces, source: Source) -> None:
    """Raise BadInput if the float network is no better than always naming the commonest expression."""
    commonest = float(np.bincount(held.truth).max() / len(held.truth))
    right = metrics.accuracy(logits, held.truth)
    if right < commonest + _HAIR:
        raise BadInput(
            f"model {source.name} names {right:.1%} of the held-out images rightly, and always the same word would be"
            f" right for {commonest:.1%}: is it trained, are its labels in its own order, its pixels fed as it was?"
        )


def _unsealed(model: bytes, source: Source, asked: Asked, images: int) -> Contract:
    """Return a contract with which the model can be run: all that is known before it was."""
    said = source.record
    (fed,), (given,) = flatbuffer.signature(model)
    return Contract(
        schema=SCHEMA,
        name=said.recipe,
        version=__version__,
        labels=list(said.labels),
        input=msgspec.structs.replace(source.float_input, dtype=fed.dtype, scale=fed.scale, zero_point=fed.zero_point),
        output=Output(
            kind="probabilities" if source.probabilities else "logits",
            dtype=given.dtype,  # type: ignore[arg-type]
            scale=given.scale,
            zero_point=given.zero_point,
        ),
        probabilities=Probabilities(temperature=1.0, enter=dict.fromkeys(said.labels, 1.0)),
        conversion=Conversion(
            scheme=asked.scheme, representative_images=images if asked.scheme in _WITH_RANGES else 0, seed=asked.seed
        ),
        parity=Parity(images=0, float_accuracy=0, converted_accuracy=0, agreement=0, worst_class_drop=0),
        metrics=Metrics(protocol=said.protocol, images=0, accuracy=0, macro_f1=0, ece=0),
        model_bytes=len(model),
        model_sha256=hashlib.sha256(model).hexdigest(),
        content_digest=content_digest(model),
        golden=[],
        provenance=Provenance(
            source=source.name,
            source_sha256=source.sha256,
            recipe=source.recipe,
            data=said.data,
            cuelens=__version__,
            tensorflow=tf.__version__,
        ),
    )
