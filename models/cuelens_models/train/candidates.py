"""The training of the network of candidates: targets, loss and int8 form."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.grids import GRIDS, TILT, Grid
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.composites import HEIGHT, Place
from cuelens_models.data.images import SUFFIXES
from cuelens_models.errors import BadInput
from cuelens_models.zoo.candidates import COLUMNS, ROWS, build

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]

SEED: Final = 2_000_000
_BATCH: Final = 48
_RATE: Final = 2e-3
_CENTRE: Final = 0.18
"""Cells whose centre is so near to that of a face learn it, in sides, besides the one that holds it."""
_SHORTEST, _LONGEST = 60, 720
"""Sides of pictures that are used as they are, in pixels."""
_TEXTURES: Final = (
    *("brick.png", "chelsea.png", "coins.png", "gravel.png", "ihc.png", "moon.png", "page.png", "rocket.jpg"),
    *("chessboard_GRAY.png", "clock_motion.png", "horse.png", "logo.png", "color.png"),
)


class Targets(NamedTuple):
    """What one grid should tell of some pictures. Its cells are in one row.

    Attributes:
        present: (n, cells), 1 where a face is.
        weight: (n, cells), 0 where a cell may tell either.
        place: (n, cells, 4), where a face is: its centre from the cell's, in sides, right and down; the logarithm of
            its side in references of the grid; its tilt in units of TILT. 0 where no face is.
    """

    present: Floats
    weight: Floats
    place: Floats


def targets(grid: Grid, pictures: Sequence[Sequence[Place]]) -> Targets:
    """Return the targets of a grid.

    A cell learns the nearest of the faces around its centre. Cells beside them, those of partial faces, and those of
    faces that are a little too small or too large for the grid, may tell either.

    Args:
        grid: one of GRIDS.
        pictures: the faces of each of n pictures.
    """
    rows, columns = ROWS // grid.stride, COLUMNS // grid.stride
    down, right = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    x, y = (right.ravel() + 0.5) * grid.stride, (down.ravel() + 0.5) * grid.stride
    shape = len(pictures), rows * columns
    present, weight = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    place, nearest = np.zeros((*shape, 4), np.float32), np.full(shape, np.inf)
    for number, faces in enumerate(pictures):
        for face in faces:
            across, below = face.x - x, face.y - y
            distance = np.maximum(abs(across), abs(below))
            if grid.smallest * 0.75 <= face.side < grid.largest * 1.3:
                either = distance < max(0.5 * face.side, 0.75 * grid.stride)
                weight[number][either & (present[number] == 0)] = 0
            if face.partial or not grid.smallest <= face.side < grid.largest:
                continue
            learned = (distance <= max(grid.stride / 2, _CENTRE * face.side)) & (distance < nearest[number])
            nearest[number][learned] = distance[learned]
            present[number][learned] = weight[number][learned] = 1
            size, tilt = np.log(face.side / grid.reference), face.tilt / TILT
            told = (across / face.side, below / face.side, np.full_like(across, size), np.full_like(across, tilt))
            place[number][learned] = np.stack(told, -1)[learned]
    return Targets(present, weight, place)


def network_input(pictures: NDArray[np.generic]) -> Floats:
    """Return pictures as the network takes them, float32 (n, 128, 160, 1), a grey level minus 128 divided by 64.

    pictures: grey levels (n, 120, 160). Their last row repeats until there are 128.
    """
    padded = np.pad(pictures, ((0, 0), (0, ROWS - HEIGHT), (0, 0)), mode="edge").astype(np.float32)
    return np.asarray((padded - 128) / 64, np.float32)[..., np.newaxis]


def photographs(folder: Path) -> list[Grey]:
    """Return the pictures of a folder and of its subfolders, and some of scikit-image, each uint8 (height, width).

    Those longer than 720 pixels are shrunken to that, and those with a side under 60 are left out. Raises BadInput if
    the folder has no others.
    """
    import skimage

    found = _pictures(path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)
    if not found:
        raise BadInput(f"{folder} holds no pictures of {_SHORTEST} pixels or more")
    textures = Path(skimage.__file__).parent / "data"
    return found + _pictures(textures / name for name in _TEXTURES)


def _pictures(paths: Iterable[Path]) -> list[Grey]:
    pictures = []
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None or min(picture.shape) < _SHORTEST:
            continue
        scale = min(_LONGEST / max(picture.shape), 1.0)
        shrunken = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pictures.append(np.asarray(shrunken, np.uint8))
    return pictures


def fit(pool: Sequence[tuple[Grey, list[Place]]], steps: int) -> "keras.Model":
    """Return a network that has learned from composites, and print its loss now and then.

    Args:
        pool: pictures, uint8 (120, 160), and the faces of each.
        steps: each learns from 48 pictures of the pool.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    network = build()
    # The first 200 steps have the highest rate already: the schedule falls after them.
    schedule = keras.optimizers.schedules.CosineDecay(_RATE, steps, alpha=0.01, warmup_steps=200, warmup_target=_RATE)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=5.0)

    def loss(logits: Any, places: Any, wanted: Targets) -> Any:
        logits, places = tf.reshape(logits, tf.shape(wanted.present)), tf.reshape(places, tf.shape(wanted.place))
        likely = tf.sigmoid(logits)
        # The focal loss: cells of plain walls count next to nothing.
        focus = tf.where(wanted.present > 0, 1.5 * (1 - likely) ** 2, 0.5 * likely**2)
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted.present, logits)
        off = abs(places - wanted.place)
        rounded = tf.where(off < 0.15, off * off / 0.3, off - 0.075) * wanted.present[..., tf.newaxis]
        wrong = tf.reduce_sum(focus * entropy * wanted.weight)
        return (wrong + 1.5 * tf.reduce_sum(rounded * [1.0, 1.0, 1.0, 0.5])) / (tf.reduce_sum(wanted.present) + 4)

    def step(pictures: Any, wanted: list[Targets]) -> Any:
        with tf.GradientTape() as tape:
            outputs = network(pictures, training=True)
            total = sum(loss(outputs[2 * n], outputs[2 * n + 1], one) for n, one in enumerate(wanted))
        gradients = tape.gradient(total, network.trainable_weights)
        optimizer.apply_gradients(zip(gradients, network.trainable_weights, strict=True))
        return total

    compiled = tf.function(step)
    for number, (pictures, faces) in enumerate(_batches(pool, steps)):
        total = compiled(network_input(pictures), [targets(grid, faces) for grid in GRIDS])
        if number % 500 == 0:
            print(f"step {number} of {steps}: loss {float(total):.3f}", flush=True)
    return network


def _batches(
    pool: Sequence[tuple[Grey, list[Place]]], steps: int
) -> Iterator[tuple[NDArray[np.generic], list[list[Place]]]]:
    """Yield pictures in another light, half of them mirrored, and their faces."""
    random = np.random.default_rng(SEED)
    for _ in range(steps):
        pictures, faces = [], []
        for number in random.integers(len(pool), size=_BATCH):
            picture, places = pool[number]
            if random.random() < 0.5:
                picture = picture[:, ::-1]
                places = [place._replace(x=COLUMNS - place.x, tilt=-place.tilt) for place in places]
            lit = picture * random.uniform(0.7, 1.25) + random.uniform(-20, 20)
            pictures.append(np.clip(lit, 0, 255))
            faces.append(places)
        yield np.stack(pictures), faces


def to_int8(network: "keras.Model", pictures: Floats) -> bytes:
    """Return the network as int8 TFLite for one picture, int8 in its input and outputs too.

    Args:
        network: trained.
        pictures: as its input, to measure ranges. The input's scale is 1/64 and its zero point 0 if their grey levels
            go from 0 to 255.
    """
    import tensorflow as tf

    signature = [tf.TensorSpec((1, ROWS, COLUMNS, 1), tf.float32, name="picture")]
    inference = tf.function(lambda one: network(one, training=False), input_signature=signature, autograph=False)
    converter: Any = tf.lite.TFLiteConverter.from_concrete_functions([inference.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[np.newaxis]] for one in pictures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model
