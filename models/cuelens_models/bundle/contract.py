"""The contract of a bundle: how its model is fed, and how its outputs are read.

Fractions are 0 to 1 everywhere; percentage points exist only on screens. docs/reference/bundle.md is made of these
docstrings, by `make reference`.
"""

from typing import Annotated, Literal

import msgspec

from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import StrictStruct, mistake

SCHEMA = 1

Side = Annotated[int, msgspec.Meta(ge=16, le=512)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
DType = Literal["int8", "uint8", "int16", "float32"]


class CropRule(StrictStruct, frozen=True):
    """How a square is cut around a detector's box. It is valid for that detector alone.

    Attributes:
        detector: name of the detector that the scale was measured with.
        scale: side of the square as a multiple of the longer side of the box.
        shift_y: how far the square is moved down, as a fraction of its own side.
    """

    detector: str
    scale: Annotated[float, msgspec.Meta(gt=0.2, le=4)]
    shift_y: Annotated[float, msgspec.Meta(ge=-1, le=1)]


class Input(StrictStruct, frozen=True):
    """The model's input: `pixel * multiply + add` (the crop is standardised first if `per_image`), then quantised.

    Attributes:
        height: height of the tensor, in pixels.
        width: width of the tensor, in pixels.
        channels: channels of the tensor: 1, or 3 equal ones.
        dtype: type of the tensor.
        scale: step of quantisation; 0 for none.
        zero_point: quantised value of 0.
        multiply: factor of a grey level.
        add: what is added to that product.
        per_image: whether the crop is standardised first, by its own mean and standard deviation.
        crop: how the face is cut out of the frame.
    """

    height: Side
    width: Side
    channels: Literal[1, 3]
    dtype: DType
    scale: Annotated[float, msgspec.Meta(ge=0)]
    zero_point: int
    multiply: float
    add: float
    per_image: bool
    crop: CropRule


class Output(StrictStruct, frozen=True):
    """The model's output: one number for each label.

    Attributes:
        kind: what the numbers are.
        dtype: type of the tensor.
        scale: step of quantisation; 0 for none.
        zero_point: quantised value of 0.
    """

    kind: Literal["logits", "probabilities"]
    dtype: DType
    scale: Annotated[float, msgspec.Meta(ge=0)]
    zero_point: int


class Probabilities(StrictStruct, frozen=True):
    """How outputs become probabilities, and which of these mean something. All of it stands outside the network.

    Attributes:
        temperature: what logits are divided by before the softmax.
        enter: threshold by label, for reports: the lowest probability above which the label is right nine times of ten
            where nine faces of ten are neutral, before a small camera.
        usual: by label, the mean logarithm of its odds against neutral for neutral faces before a small camera, in
            nats. The glasses begin with it.
        least: by label, the least probability against neutral at which the glasses may settle on it, if a maker chose
            one.
    """

    temperature: Positive
    enter: dict[str, Fraction]
    usual: dict[str, float] = msgspec.field(default_factory=dict)
    least: dict[str, Fraction] = msgspec.field(default_factory=dict)


class Conversion(StrictStruct, frozen=True):
    """How the Keras model was converted to this file.

    Attributes:
        scheme: format of weights and activations.
        representative_images: how many faces the ranges of activations were measured on; 0 without ranges.
        seed: of their choice, and of fine-tuning.
    """

    scheme: Literal["int8", "int16x8", "dynamic", "float16", "float32"]
    representative_images: Count
    seed: int


class Parity(StrictStruct, frozen=True):
    """Comparison of the converted model with its Keras model, on the same held-out images.

    Attributes:
        images: how many images.
        float_accuracy: accuracy of the Keras model.
        converted_accuracy: accuracy of the converted model.
        agreement: share of images that both models name alike.
        worst_class_drop: largest loss of recall in a class of 100 images; negative if all of them gained, 0 if there is
            no such class.
    """

    images: Count
    float_accuracy: Fraction
    converted_accuracy: Fraction
    agreement: Fraction
    worst_class_drop: Annotated[float, msgspec.Meta(ge=-1, le=1)]


class Metrics(StrictStruct, frozen=True):
    """Scores of the converted model on held-out images, under a named protocol.

    Attributes:
        protocol: name of the protocol, and of the part of the data.
        images: how many images.
        accuracy: share of images that are named rightly.
        macro_f1: mean F1 of the classes with 50 images; 0 without such a class.
        ece: expected calibration error, of 15 bins.
    """

    protocol: str
    images: Count
    accuracy: Fraction
    macro_f1: Fraction
    ece: Fraction


class Golden(StrictStruct, frozen=True):
    """A golden sample: a picture made by a formula (see `golden`), and the dequantised output expected for it.

    Attributes:
        formula: the picture's, of x along columns and y along rows.
        logits: the outputs, in the order of the labels.
    """

    formula: str
    logits: list[float]


class Provenance(StrictStruct, frozen=True):
    """Where the model comes from.

    Attributes:
        source: name of the Keras file.
        source_sha256: checksum of that file.
        recipe: how the network was trained, in words, and whether it was relabelled.
        data: what it was trained on.
        cuelens: version that converted it.
        tensorflow: version that converted it.
    """

    source: str
    source_sha256: str
    recipe: str
    data: str
    cuelens: str
    tensorflow: str


class Contract(StrictStruct, frozen=True):
    """The whole contract: the content of `contract.json`.

    Attributes:
        schema: version of the format.
        name: of the recipe or the network.
        version: of the cuelens that converted it.
        labels: the expressions, in the order of the outputs; `not_a_face` may be the last.
        input: how the model is fed.
        output: what it answers.
        probabilities: how outputs become probabilities.
        conversion: how it was converted.
        parity: what the conversion lost.
        metrics: how right it is.
        model_bytes: length of the model, which the zip follows.
        model_sha256: checksum of the model.
        content_digest: hash of operations, weights and scales, without names. It is equal across versions of TensorFlow
            that convert alike, on processors that add in the same order.
        golden: pictures that every start replays.
        provenance: where the model comes from.
    """

    schema: int
    name: str
    version: str
    labels: list[str]
    input: Input
    output: Output
    probabilities: Probabilities
    conversion: Conversion
    parity: Parity
    metrics: Metrics
    model_bytes: Count
    model_sha256: str
    content_digest: str
    golden: Annotated[list[Golden], msgspec.Meta(min_length=1)]
    provenance: Provenance

    def title(self) -> str:
        """Return name, version and the first 12 digits of the model's checksum. They identify a bundle."""
        return f"{self.name} {self.version} {self.model_sha256[:12]}"


def read(text: bytes) -> Contract:
    """Decode `contract.json`. Raises BadInput with the key and what is allowed, or the schema that is not ours."""
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("contract.json is no JSON") from error
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if isinstance(schema, int) and schema != SCHEMA:
        raise BadInput(f"contract.json has schema {schema}, this cuelens reads schema {SCHEMA}")
    try:
        return msgspec.convert(raw, Contract)
    except msgspec.ValidationError as error:
        raise BadInput(f"contract.json: {mistake(error, raw, Contract).sentence}") from error
