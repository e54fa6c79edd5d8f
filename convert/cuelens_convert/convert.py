"""The conversion: quantise, compare with the float network, repair what was lost, and write the contract."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cuelens_convert import compare, doubt, representative
from cuelens_convert.compare import Comparison, Limits
from cuelens_convert.dead_units import fold_dead_units
from cuelens_convert.digest import content_digest
from cuelens_convert.fine_tune import fine_tune, step_count
from cuelens_convert.hard_faces import check_answers, check_front, hard_faces
from cuelens_convert.inference import inference
from cuelens_convert.quantise import Scheme, check_loops, quantise
from cuelens_convert.representative import Representative
from cuelens_convert.rewrite import static
from cuelens_convert.source import Source
from cuelens_models.bundle import file, flatbuffer, golden
from cuelens_models.bundle.contract import (
    SCHEMA,
    Contract,
    Conversion,
    Golden,
    Input,
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
from cuelens_models.data.protocols import label
from cuelens_models.evaluate import metrics
from cuelens_models.progress import Steps
from cuelens_models.version import __version__

REPRESENTATIVE: Final = 500
SEED: Final = 0
_WITH_RANGES: Final = ("int8", "int16x8")


@dataclass(frozen=True, slots=True)
class Options:
    """How to convert.

    photographs: a folder of representative images, None for training faces. images: representative images at most.
    fine_tune: epochs, 0 for none. seed: chooses the images, and seeds the fine-tuning. as_described: convert although
    the held-out faces speak against the description of the network.
    """

    scheme: Scheme = "int8"
    limits: Limits = field(default_factory=Limits)
    photographs: Path | None = None
    images: int = REPRESENTATIVE
    fine_tune: int = 0
    seed: int = SEED
    as_described: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One converted model. network: the float network that it was made from, of any batch size.

    inner: logits of the model for the inner split, (n, outputs). inner_accuracy: on that split, 0 to 1.
    """

    network: keras.Model
    model: bytes
    comparison: Comparison
    inner: Scores
    inner_accuracy: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a conversion.

    tried: accuracy of the network under each feeding, as name and value; then what speaks against its description.
    needed: rewrites and repairs. refusal: why the bundle must not be written, or None.
    """

    source: Source
    options: Options
    attempt: Attempt
    representative: Representative
    bundle: bytes
    contract: Contract
    tried: tuple[tuple[str, str], ...]
    needed: tuple[str, ...]
    refusal: str | None


def convert(source: Source, data: FaceData, options: Options, steps: Steps) -> Outcome:
    """Convert a network, and compare the model with it.

    If more is lost than the limits allow, dead units are folded, then the network is fine-tuned where the options ask
    for it. A repair is kept if accuracy rises on the inner split: nothing is selected on the held-out faces.
    Raises BadInput if the representative images are unfit, if the network is not trained, or if it standardises each
    face itself or has a recurrent layer in int8; Refused if the model does not answer every picture, or if the held-out
    faces speak against the description of the network and the options do not allow that.

    Args:
        source: the network.
        data: training, inner and held-out faces.
        options: how to convert, and what may be lost.
        steps: told of each stage.
    """
    if options.scheme in _WITH_RANGES:
        check_loops(source.network)
        check_front(source.network)
    attempts = _Attempts(source, data, options, steps)
    best = attempts.make(source.network)
    needed = list(source.changes)
    if options.scheme in _WITH_RANGES and compare.exceeds(best.comparison, options.limits):
        steps.stage("looking for dead units")
        folding = fold_dead_units(source.network, attempts.images)
        if folding and (attempt := attempts.make(folding.network)).inner_accuracy > best.inner_accuracy:
            best = attempt
            units = ", ".join(f"{count} of {name}" for name, count in folding.units.items())
            needed.append(f"dead units folded into constants: {units}")
    if options.fine_tune and compare.exceeds(best.comparison, options.limits):
        attempt = attempts.make(attempts.fine_tune(best.network), tuned=True)
        helps = attempt.inner_accuracy > best.inner_accuracy
        best = attempt if helps else best
        result = "fine-tuned" if helps else "fine-tuned in vain"
        needed.append(f"{result} for {options.fine_tune} epochs with int8's rounding")
    contract = attempts.contract(best)
    refusal = compare.refusal(best.comparison, options.limits)
    bundle = file.pack(best.model, contract)
    return Outcome(
        source, options, best, attempts.representative, bundle, contract, attempts.tried, tuple(needed), refusal
    )


class _Attempts:
    """Makes attempts. They share the representative images, the labelled faces, and the float network's logits."""

    def __init__(self, source: Source, data: FaceData, options: Options, steps: Steps) -> None:
        self._source, self._data, self._options, self._steps = source, data, options, steps
        protocol, float_input = source.record.protocol, source.float_input
        self._inner, self._held_out = label(data.inner, protocol), label(data.held_out, protocol)
        steps.stage("choosing representative images")
        if options.photographs is None:
            self.representative = representative.choose(data.training, protocol, options.images, options.seed)
        else:
            self.representative = representative.from_photographs(
                options.photographs, float_input, options.images, options.seed
            )
        self._hard_faces = hard_faces(self.representative.faces)
        self.images: NDArray[np.float32] = self.representative.inputs(float_input)
        steps.stage("running the network")
        infer = inference(source.network)
        outputs = {pixels: self._run_float(infer, spec) for pixels, spec in source.feedings()}
        self._float_logits = outputs[source.pixels][:, source.columns]
        self.tried = doubt.check(outputs, self._held_out, source, steps.line, as_described=options.as_described)

    def make(self, network: keras.Model, *, tuned: bool = False) -> Attempt:
        """Convert a network, and compare the model with it. tuned: it is not the original any more."""
        self._steps.stage(f"converting to {self._options.scheme}")
        model = quantise(static(network), self._options.scheme, self.images)
        interpreter = self._interpreter(model)
        check_answers(interpreter, self._hard_faces)
        self._steps.stage("running the written model", len(self._inner.indices) + len(self._held_out.indices))

        inner, held_out = (
            compare.converted_logits(interpreter, faces.pixels[labelled.indices], self._steps.advance)
            for faces, labelled in ((self._data.inner, self._inner), (self._data.held_out, self._held_out))
        )
        columns = self._source.columns
        comparison = Comparison(
            self._held_out.labels,
            self._held_out.truth,
            self._float_logits,
            held_out[:, columns],
            self._run_float(inference(network), self._source.float_input)[:, columns] if tuned else None,
        )
        return Attempt(network, model, comparison, inner, metrics.accuracy(inner[:, columns], self._inner.truth))

    def fine_tune(self, network: keras.Model) -> keras.Model:
        """Return the network fine-tuned on the training part to tolerate int8 rounding."""
        indices = label(self._data.training, self._source.record.protocol).indices
        faces = model_inputs(self._data.training.pixels[indices], self._source.float_input)
        epochs, seed = self._options.fine_tune, self._options.seed
        self._steps.stage("fine-tuning", step_count(len(faces), epochs))
        return fine_tune(network, faces, self.images, epochs, seed, self._steps.advance)

    def _interpreter(self, model: bytes) -> Interpreter:
        contract = _draft_contract(model, self._source, self._options, len(self.images))
        return Interpreter(Bundle(model, contract, Path(self._source.name)))

    def _run_float(self, infer: Callable[[Any], Any], float_input: Input) -> Scores:
        faces = self._data.held_out.pixels[self._held_out.indices]
        return compare.float_logits(infer, faces, float_input, probabilities=self._source.probabilities)

    def contract(self, attempt: Attempt) -> Contract:
        """Return the whole contract of a model: temperature, thresholds, parity, metrics and golden outputs."""
        record, columns = self._source.record, np.array(self._source.columns)
        temperature = metrics.fit_temperature(attempt.inner[:, columns], self._inner.truth, self._steps.line)
        interpreter = self._interpreter(attempt.model)
        self._steps.stage("choosing thresholds", len(self._inner.indices))
        # They are chosen on faces as the camera of the glasses shows them, not as the collections do.
        faces = corrupt(self._data.inner.pixels[self._inner.indices], "camera")
        logits = compare.converted_logits(interpreter, faces, self._steps.advance)
        probabilities, truth = softmax(logits, temperature), columns[self._inner.truth]
        enter = metrics.enter_thresholds(probabilities, truth, record.labels)
        usual = metrics.usual_margins(probabilities, truth, record.labels)
        return msgspec.structs.replace(
            interpreter.contract,
            probabilities=Probabilities(temperature=temperature, enter=enter, usual=usual),
            parity=attempt.comparison.parity(),
            metrics=attempt.comparison.measure(f"{record.protocol} on {self._data.held_out_name}", temperature),
            golden=[
                Golden(
                    formula=formula,
                    logits=[round(float(x), 6) for x in interpreter.outputs(golden.picture(formula))],
                )
                for formula in golden.FORMULAS
            ],
        )


def _draft_contract(model: bytes, source: Source, options: Options, images: int) -> Contract:
    """Return a contract that suffices to run the model; what only running it shows is zero or empty."""
    record = source.record
    (model_input,), (model_output,) = flatbuffer.signature(model)
    return Contract(
        schema=SCHEMA,
        name=record.recipe,
        version=__version__,
        labels=list(record.labels),
        input=msgspec.structs.replace(
            source.float_input,
            dtype=model_input.dtype,
            scale=model_input.scale,
            zero_point=model_input.zero_point,
        ),
        output=Output(
            kind="probabilities" if source.probabilities else "logits",
            dtype=model_output.dtype,  # type: ignore[arg-type]
            scale=model_output.scale,
            zero_point=model_output.zero_point,
        ),
        probabilities=Probabilities(temperature=1.0, enter=dict.fromkeys(record.labels, 1.0)),
        conversion=Conversion(
            scheme=options.scheme,
            representative_images=images if options.scheme in _WITH_RANGES else 0,
            seed=options.seed,
        ),
        parity=Parity(images=0, float_accuracy=0, converted_accuracy=0, agreement=0, worst_class_drop=0),
        metrics=Metrics(protocol=record.protocol, images=0, accuracy=0, macro_f1=0, ece=0),
        model_bytes=len(model),
        model_sha256=hashlib.sha256(model).hexdigest(),
        content_digest=content_digest(model),
        golden=[],
        provenance=Provenance(
            source=source.name,
            source_sha256=source.sha256,
            recipe=source.recipe,
            data=record.data,
            cuelens=__version__,
            tensorflow=tf.__version__,
        ),
    )
