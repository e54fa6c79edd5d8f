"""The contract of a bundle: how its model is fed, and how its outputs are read.

Fractions are 0 to 1 everywhere; percentage points exist only on screens. docs/design.md, section 4, describes
the fields.
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
    """How a square is cut around a detector's box. It is valid for that detector alone."""

    detector: str
    scale: Annotated[float, msgspec.Meta(gt=0.2, le=4)]
    """Side of the square as a multiple of the longer side of the box."""
    shift_y: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    """How far the square is moved down, as a fraction of its own side."""


class Input(StrictStruct, frozen=True):
    """The model's input: `pixel * multiply + add` (the crop is standardised first if `per_image`), then quantised."""

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
    """The model's output: one number for each label."""

    kind: Literal["logits", "probabilities"]
    dtype: DType
    scale: Annotated[float, msgspec.Meta(ge=0)]
    zero_point: int


class Probabilities(StrictStruct, frozen=True):
    """The softmax temperature, the threshold of each label, and what is usual for faces that show nothing."""

    temperature: Positive
    enter: dict[str, Fraction]
    """Thresholds by label, for reports: what most faces that show it reach before a small camera, and few others do."""
    usual: dict[str, float] = msgspec.field(default_factory=dict)
    """By label, the mean logarithm of its odds against neutral for neutral faces before a small camera, in nats."""
    least: dict[str, Fraction] = msgspec.field(default_factory=dict)
    """By label, the least probability against neutral at which the glasses may settle on it, if a maker chose one."""


class Conversion(StrictStruct, frozen=True):
    """How the Keras model was converted to this file."""

    scheme: Literal["int8", "int16x8", "dynamic", "float16", "float32"]
    representative_images: Count
    seed: int


class Parity(StrictStruct, frozen=True):
    """Comparison of the converted model with its Keras model, on the same held-out images."""

    images: Count
    float_accuracy: Fraction
    converted_accuracy: Fraction
    agreement: Fraction
    worst_class_drop: Annotated[float, msgspec.Meta(ge=-1, le=1)]


class Metrics(StrictStruct, frozen=True):
    """Scores of the converted model on held-out images, under a named protocol."""

    protocol: str
    images: Count
    accuracy: Fraction
    macro_f1: Fraction
    ece: Fraction


class Golden(StrictStruct, frozen=True):
    """A golden sample: a picture made by a formula (see `golden`), and the dequantised output expected for it."""

    formula: str
    logits: list[float]


class Provenance(StrictStruct, frozen=True):
    """Where the model comes from: source, recipe, data and versions."""

    source: str
    source_sha256: str
    recipe: str
    data: str
    cuelens: str
    tensorflow: str


class Contract(StrictStruct, frozen=True):
    """The whole contract: the content of `contract.json`."""

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
