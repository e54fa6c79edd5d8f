"""The conversion itself, step by step: quantise, load back, fit the temperature, compare, seal."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tensorflow as tf

from cuelens_convert import compare, representative
from cuelens_convert.digest import content_digest
from cuelens_convert.quantise import int8
from cuelens_convert.source import Source
from cuelens_models import metrics
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
from cuelens_models.bundle.scores import softmax
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import label
from cuelens_models.version import __version__

REPRESENTATIVE = 500
SEED = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """Where the work stands, for whoever shows it: `stage` names what begins and how many steps it has."""

    stage: Callable[[str, int], None]
    step: Callable[[], None]


def convert(
    source: Source, data: FaceData, max_drop: float, max_class_drop: float, steps: Steps
) -> tuple[bytes, Contract]:
    """Return the bytes of the bundle and its contract. Raises Refused if the gate does not let it through."""
    said = source.record
    _, height, width, channels = source.network.inputs[0].shape
    wanted = said.float_input(height, width, channels)
    steps.stage("choosing representative images", 0)
    images = representative.choose(data.training, said.protocol, wanted, REPRESENTATIVE, SEED)
    steps.stage("quantising", 0)
    model = int8(source.network, images)
    bundle = _unsealed(model, source, data, len(images))
    interpreter = Interpreter(bundle)

    inner = label(data.inner, said.protocol)
    held = label(data.held_out, said.protocol)
    steps.stage("running the written model", len(inner.chosen) + len(held.chosen))
    logits = compare.converted_logits(interpreter, data.inner.take(inner.chosen), steps.step)
    temperature = metrics.fit_temperature(logits[:, : len(inner.labels)], inner.truth)
    enter = metrics.enter_thresholds(softmax(logits, temperature), inner.truth, said.labels)
    judged = compare.judge(source.network, wanted, interpreter, data.held_out, said.protocol, steps.step)
    compare.gate(judged.parity(), max_drop, max_class_drop)

    contract = msgspec.structs.replace(
        bundle.contract,
        probabilities=Probabilities(temperature=temperature, enter=enter),
        parity=judged.parity(),
        metrics=judged.scored(f"{said.protocol} on {data.held_out_name}", temperature),
        golden=[
            Golden(formula=formula, logits=[round(float(x), 6) for x in interpreter.outputs(golden.picture(formula))])
            for formula in golden.FORMULAS
        ],
    )
    return file.pack(model, contract), contract


def _unsealed(model: bytes, source: Source, data: FaceData, images: int) -> Bundle:
    """Return a bundle that can be run, with everything in its contract that is known before it was."""
    said = source.record
    (fed,), (given,) = flatbuffer.signature(model)
    wanted = said.float_input(*source.network.inputs[0].shape[1:])
    contract = Contract(
        schema=SCHEMA,
        name=said.recipe,
        version=__version__,
        labels=list(said.labels),
        input=msgspec.structs.replace(wanted, dtype=fed.dtype, scale=fed.scale, zero_point=fed.zero_point),
        output=Output(kind="logits", dtype=given.dtype, scale=given.scale, zero_point=given.zero_point),  # type: ignore[arg-type]
        probabilities=Probabilities(temperature=1.0, enter=dict.fromkeys(said.labels, 1.0)),
        conversion=Conversion(scheme="int8", representative_images=images, seed=SEED),
        parity=Parity(images=0, float_accuracy=0, converted_accuracy=0, agreement=0, worst_class_drop=0),
        metrics=Metrics(protocol=said.protocol, images=0, accuracy=0, macro_f1=0, ece=0),
        model_bytes=len(model),
        model_sha256=hashlib.sha256(model).hexdigest(),
        content_digest=content_digest(model),
        golden=[],
        provenance=Provenance(
            source=source.name,
            source_sha256=source.sha256,
            recipe=f"{said.recipe}, {said.epochs} epochs, seed {said.seed}",
            data=said.data,
            cuelens=__version__,
            tensorflow=tf.__version__,
        ),
    )
    return Bundle(model, contract, Path(source.name))
