"""Candidates with chosen answers, made-up weights, small networks, and commands run in this process."""

import importlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import Scores
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.evaluate.candidate import Advance, Candidate
from cuelens_models.evaluate.cost import Cost
from cuelens_models.zoo import cuelens, teacher
from cuelens_models.zoo.pretrained import Pretrained
from cuelens_models.zoo.recipe import OwnRecipe

Told = Callable[..., Candidate]
Arrays = Mapping[str, NDArray[np.float32]]
Write = Callable[[Path, Arrays], Path]

_SHAPES = {
    "conv32_down": (7, 3, 32),
    **{f"conv32_{number}/conv{part}": (3, 32, 32) for number in (1, 2, 3) for part in (1, 2)},
    "conv64_down/conv1": (3, 32, 64),
    "conv64_down/conv2": (3, 64, 64),
    **{f"conv64_{number}/conv{part}": (3, 64, 64) for number in (1, 2, 3) for part in (1, 2)},
    "conv128_down/conv1": (3, 64, 128),
    "conv128_down/conv2": (3, 128, 128),
    **{f"conv128_{number}/conv{part}": (3, 128, 128) for number in (1, 2) for part in (1, 2)},
    "conv256_down/conv1": (3, 128, 256),
    "conv256_down/conv2": (3, 256, 256),
    **{f"conv256_{number}/conv{part}": (3, 256, 256) for number in (1, 2) for part in (1, 2)},
}
"""Side, channels in and channels out of each convolution, by its name there."""


@pytest.fixture(scope="session")
def told() -> Told:
    """A candidate that gives each face the probabilities that the grey level of its first pixel counts out."""

    def make(
        labels: Sequence[str], rows: Sequence[Sequence[float]], enter: dict[str, float] | None = None
    ) -> Candidate:
        table = np.asarray(rows, np.float64)

        def answer(faces: Grey, advance: Advance) -> Scores:
            advance(len(faces))
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(table[np.minimum(faces[:, 0, 0], len(table) - 1)]))

        fed = Input(
            height=48,
            width=48,
            channels=1,
            dtype="float32",
            scale=0.0,
            zero_point=0,
            multiply=1.0,
            add=0.0,
            per_image=False,
            crop=CropRule(detector="haar-alt2", scale=1.0, shift_y=0.0),
        )
        return Candidate(
            Path("told.tflite"), "told", "by heart", "made up", tuple(labels), fed, enter, answer, Cost(3, 7, 11), None
        )

    return make


@pytest.fixture(scope="session")
def face_weights() -> Arrays:
    """Random weights named and shaped as those of dlib's network in the npm package face-api."""
    random = np.random.default_rng(0)
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, (side, taken, width) in _SHAPES.items():
        deviation = np.sqrt(2 / (side * side * taken))
        arrays[f"{name}/conv/filters"] = random.normal(0, deviation, (side, side, taken, width)).astype(np.float32)
        arrays[f"{name}/conv/bias"] = random.normal(0, 0.1, width).astype(np.float32)
        arrays[f"{name}/scale/weights"] = random.uniform(0.5, 1.5, width).astype(np.float32)
        arrays[f"{name}/scale/biases"] = random.normal(0, 0.1, width).astype(np.float32)
    return arrays


@pytest.fixture(scope="session")
def write_manifest() -> Write:
    """Writes a manifest of TensorFlow.js at a path, and its file beside it: kernels as bytes, the rest as floats."""

    def write(path: Path, arrays: Arrays) -> Path:
        entries, content = [], b""
        for name, values in arrays.items():
            entry: dict[str, object] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
            if values.ndim == 4:
                least = float(values.min())
                scale = (float(values.max()) - least) / 255 or 1.0
                entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
                content += np.rint((values - least) / scale).astype(np.uint8).tobytes()
            else:
                content += values.astype("<f4").tobytes()
            entries.append(entry)
        path.with_suffix(".bin").write_bytes(content)
        path.write_text(json.dumps([{"paths": [path.with_suffix(".bin").name], "weights": entries}]))
        return path

    return write


@pytest.fixture(scope="session")
def drawn_faces() -> Callable[..., Faces]:
    """Drawn faces of given sizes, 1 to fill the picture. The cascade finds a face in those that about fill it."""

    def draw(zoom: float) -> Grey:
        face = np.full((480, 480), 150, np.uint8)
        cv2.ellipse(face, (240, 250), (190, 240), 0, 0, 360, 190, -1)
        for eye in (150, 330):
            cv2.ellipse(face, (eye, 195), (48, 22), 0, 0, 360, 70, -1)
            cv2.ellipse(face, (eye, 150), (60, 14), 0, 0, 360, 80, -1)
            cv2.circle(face, (eye, 195), 17, 25, -1)
        cv2.rectangle(face, (215, 190), (265, 300), 205, -1)
        cv2.ellipse(face, (240, 310), (45, 14), 0, 0, 360, 120, -1)
        cv2.ellipse(face, (240, 385), (85, 24), 0, 0, 360, 90, -1)
        move = np.array([[zoom / 10, 0, 24 - 24 * zoom], [0, zoom / 10, 24 - 24 * zoom]])
        soft = cv2.GaussianBlur(face, (0, 0), 12)
        return np.asarray(cv2.warpAffine(soft, move, (48, 48), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def make(*zooms: float) -> Faces:
        n = len(zooms)
        return Faces(
            np.stack([draw(zoom) for zoom in zooms]), np.full(n, 3, np.int8), np.zeros((n, len(VOTES)), np.uint8)
        )

    return make


@pytest.fixture(scope="session")
def cutouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cut-outs of the same oval of grey level 200, with a soft edge. Its box is at 80, 90, 100 pixels wide."""
    path = tmp_path_factory.mktemp("cutouts") / "heads.npz"
    cover = np.zeros((256, 256), np.uint8)
    cv2.ellipse(cover, (130, 140), (60, 80), 0, 0, 360, 255, -1)
    cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 3), np.uint8)
    picture = (cover * (200 / 255)).astype(np.uint8)
    boxes = np.array([[80, 90, 100]] * 2, np.int32)
    np.savez(path, pictures=np.stack([picture] * 2), covers=np.stack([cover] * 2), boxes=boxes)
    return path


def _small(heads: Mapping[str, int]) -> Any:
    """Two convolutions with batch norm and dropout, as our networks have them."""
    import keras

    from cuelens_models.zoo.blocks import answers, convolution

    face = keras.Input((48, 48, 1), name="face")
    x = convolution(face, "layer1", 8, size=5, stride=4)
    x = convolution(x, "layer2", 16, stride=2)
    return keras.Model(face, answers(x, heads, dropout=0.1), name="small")


def _begin(network: Any, pretrained: Pretrained, inputs: NDArray[np.float32]) -> None:
    network.get_layer("layer2_conv").set_weights([pretrained.arrays["layer2"]])


@pytest.fixture(scope="session")
def small_recipes() -> dict[str, OwnRecipe]:
    """Our recipes with a small network in place of their own; the teacher can begin from weights named "layer2"."""
    return {
        "cuelens": replace(cuelens.RECIPE, build=_small, epochs=2, views=2),
        "teacher": replace(teacher.RECIPE, build=_small, begin=_begin),
    }


@pytest.fixture(scope="module")
def eager() -> Iterator[None]:
    """Makes TensorFlow run step by step: for a few steps of a small network, tracing a graph takes longer."""
    tf = pytest.importorskip("tensorflow", reason="training needs the extra train")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def run_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the `main` of a module as `command` does, but in this process: Keras is imported already."""

    def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        words = [module, *map(str, arguments)]
        monkeypatch.setattr("sys.argv", words)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            importlib.import_module(module).main()
        out, err = capsys.readouterr()
        status = ended.value.code
        assert isinstance(status, int)
        return subprocess.CompletedProcess(words, status, out, err)

    return run
