"""What the shipped network says of real faces before two cameras (`readings.npz`): what made-up streams are made of.

- far: the face is 32 pixels wide ("camera" of `cuelens_models.data.corruptions`), two metres and more away.
- near: the detector's box is 100 pixels wide, about 0.8 m away. Noise of 5 grey levels a pixel, a lens blur of 0.6
  pixels, an exposure of 0.5 to 0.9 that stays with the face, and a box that trembles from frame to frame by 2 % of its
  side and 3 % of its size, as the tracker's does.
"""

import math
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.pixels import Grey

Camera = Literal["far", "near"]
CAMERAS: Final[tuple[Camera, ...]] = ("far", "near")
POOL: Final = Path(__file__).with_name("readings.npz")
BEFORE: Final = Path(__file__).with_name("readings-before.npz")
"""What the network said that was shipped until November 2026; far, held-out faces in one view."""
VIEWS: Final = 8
"""How often each face is seen: one false cue in ten minutes is two of the inner split's 815 neutral faces."""
BOX: Final = 100
BLUR: Final = 0.6
NOISE: Final = 5.0
EXPOSURES: Final = (0.5, 0.9)
TREMBLE: Final = (0.02, 0.02, 0.03)
"""Standard deviations: of the box's place, right and down, in its side; of its size, as a logarithm."""
_SEED: Final = 7


def views(
    part: str, file: Path = POOL, camera: Camera = "far"
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """Return the label's place of each face, (faces,); probabilities, (views, faces, labels); and the labels.

    part: "held_out" or "inner". Every other view is of the mirror image.
    """
    with np.load(file) as kept:
        labels = [str(label) for label in kept["labels"]]
        name = f"{part}_scores" if camera == "far" else f"{part}_near"
        return kept[f"{part}_truth"].astype(int), kept[name].astype(float), labels


def gather(folder: Path) -> None:
    """Read faces as both cameras see them, in several views, and keep what the shipped bundle says."""
    from cuelens_models.bundle.interpreter import Interpreter
    from cuelens_models.bundle.scores import probabilities
    from cuelens_models.data.corruptions import corrupt
    from cuelens_models.data.load import load as load_faces
    from cuelens_models.data.protocols import label

    bundle = load(SHIPPED)
    interpreter = Interpreter(bundle)
    data = load_faces(folder)
    kept = {"labels": np.array(bundle.contract.labels)}
    for part, faces in (("held_out", data.held_out), ("inner", data.inner)):
        chosen = label(faces, "ferplus8")
        pixels = faces.pixels[chosen.indices]
        looks = np.stack([pixels[:, :, :: (-1) ** view] for view in range(VIEWS)])
        kept[f"{part}_truth"] = chosen.truth.astype("u1")
        for name, seen in (("scores", corrupt(np.concatenate(looks), "camera")), ("near", near(looks, part))):
            scores = probabilities(np.stack([interpreter.outputs(face) for face in seen]), bundle.contract)
            kept[f"{part}_{name}"] = scores.reshape(VIEWS, len(pixels), -1).astype("f2")
        print(f"{part}: {len(pixels)} faces, {VIEWS} views each, {len(CAMERAS)} cameras")
    np.savez_compressed(POOL, **kept)


def near(looks: Grey, part: str) -> Grey:
    """Return faces as the near camera sees them, uint8 (views * faces, 48, 48).

    Args:
        looks: uint8 (views, faces, 48, 48).
        part: seeds the chance.
    """
    random = np.random.default_rng([_SEED, *part.encode()])
    exposures = random.uniform(*EXPOSURES, looks.shape[1])
    return np.stack(
        [_near(face, light, random) for faces in looks for face, light in zip(faces, exposures, strict=True)]
    )


def _near(face: Grey, exposure: float, random: np.random.Generator) -> Grey:
    right, down, larger = random.normal(0, TREMBLE)
    scale = math.exp(larger) * BOX / len(face)
    corner = BOX / 2 * (1 - math.exp(larger))
    place = np.array([[scale, 0, corner + right * BOX], [0, scale, corner + down * BOX]])
    frame = cv2.warpAffine(face.astype(np.float32), place, (BOX, BOX), borderMode=cv2.BORDER_REPLICATE)
    frame = exposure * cv2.GaussianBlur(frame, (0, 0), BLUR) + random.normal(0, NOISE, frame.shape)
    levels = np.asarray(np.clip(np.rint(frame), 0, 255), np.uint8)
    return np.asarray(cv2.resize(levels, face.shape, interpolation=cv2.INTER_AREA), np.uint8)
