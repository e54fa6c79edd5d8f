"""Teachers, and the targets that a smaller network learns from them.

The answers of several teachers about every view of every face are averaged (Hinton et al. 2015, arXiv 1503.02531) and
stored in files. Teacher and student see the same face moved and lit in the same way (Beyer et al. 2021, arXiv
2106.05237). What a small camera does to the face only the student sees:
it learns to answer as if nothing had been lost.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.augment import pose
from cuelens_models.data.faces import SIDE, Faces
from cuelens_models.errors import BadInput
from cuelens_models.progress import Steps
from cuelens_models.train.batches import ViewTargets, augmented, human_targets
from cuelens_models.train.targets import Head, Targets

if TYPE_CHECKING:
    from cuelens_models.train.distributed import Team

_TEACHER_SHARE: Final = 0.7
"""The teachers' weight in a target; people's votes and labels have the rest, where there are any."""
_BATCH: Final = 512


@dataclass(frozen=True, slots=True)
class Teacher:
    """heads: the names of those that it answers. answer: from faces, uint8 (n, 48, 48), to probabilities by head."""

    heads: frozenset[str]
    answer: Callable[[Grey], Mapping[str, Scores]]


def teacher_of(network: keras.Model, heads: tuple[Head, ...], model_input: Input) -> Teacher:
    """Return a network with all of these heads as a teacher.

    Args:
        network: from float (n, 48, 48, 1) to the logits of each head.
        heads: those of the network.
        model_input: how it is fed.
    """

    def answer(faces: Grey) -> dict[str, Scores]:
        logits = network.predict_on_batch(model_inputs(faces, model_input))
        return {name: softmax(np.asarray(rows, np.float64)) for name, rows in logits.items()}

    return Teacher(frozenset(head.name for head in heads), answer)


def opened(path: Path, heads: tuple[Head, ...]) -> Teacher:
    """Return the `.keras` file of any recipe as a teacher. Raises BadInput if it answers none of the heads."""
    record = training_record.read(path)
    if record is None:
        raise BadInput(f"model {path} does not say what its outputs mean: give a .keras file that train-model wrote")
    name = next((head.name for head in heads if list(head.labels) == record.labels), None)
    if name is None:
        possible = "; ".join(f"{' '.join(head.labels)} ({head.name})" for head in heads)
        raise BadInput(f"model {path} answers {' '.join(record.labels)}: a teacher answers one of {possible}")
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:
        # On a damaged file Keras raises errors of any kind.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
    model_input = record.float_input(SIDE, SIDE, 1)

    def answer(faces: Grey) -> dict[str, Scores]:
        logits = network.predict_on_batch(model_inputs(faces, model_input))
        return {name: softmax(np.asarray(logits, np.float64))}

    return Teacher(frozenset({name}), answer)


def checksum(paths: Sequence[Path]) -> str:
    """Return one SHA-256 of all these files, the same in any order; "" without files."""
    each = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    return hashlib.sha256("".join(each).encode()).hexdigest() if each else ""


def ask(
    teachers: Sequence[Teacher],
    faces: Faces,
    heads: tuple[Head, ...],
    views: int,
    seed: int,
    folder: Path,
    steps: Steps,
    team: "Team | None" = None,
) -> ViewTargets:
    """Ask the teachers about every view, and return the targets of a student.

    A head that no teacher answers is learned from people alone. In a team each process asks about some of the views,
    and then has the answers about all.

    Args:
        teachers: to ask.
        faces: to ask about.
        heads: of the student.
        views: how many.
        seed: of the student's training.
        folder: where the answers are stored; a view whose file is there is not asked about again.
        steps: counts views.
        team: processes that train together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taught = tuple(head for head in heads if any(head.name in teacher.heads for teacher in teachers))
    first, stride = (team.number, team.size) if team else (0, 1)
    for view in range(1 + first, views + 1, stride):
        file = _file(folder, view)
        if not file.exists():
            content = BytesIO()
            np.save(content, _mean_answers(teachers, faces, taught, view, seed))
            write_whole(file, content.getvalue())
        steps.advance()
    if team:
        team.wait()
    stored = [_read(_file(folder, view), len(faces), taught) for view in range(1, views + 1)]
    of_people = human_targets(faces, heads)

    def view_targets(view: int, indices: NDArray[np.intp]) -> dict[str, Targets]:
        of_teachers = _by_head(np.asarray(stored[view - 1][indices], np.float32), taught)
        return {
            name: _mixed(of_teachers[name], people) if name in of_teachers else people
            for name, people in of_people(view, indices).items()
        }

    return view_targets


def _mean_answers(
    teachers: Sequence[Teacher], faces: Faces, heads: tuple[Head, ...], view: int, seed: int
) -> NDArray[np.float16]:
    """Return the teachers' mean probabilities, heads side by side: (faces, all labels of all heads)."""
    rows = []
    for start in range(0, len(faces), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(faces)))
        pixels = augmented(faces, indices, view, seed, pose)
        answers = [teacher.answer(pixels) for teacher in teachers]
        means = [np.mean([each[head.name] for each in answers if head.name in each], axis=0) for head in heads]
        rows.append(np.hstack(means).astype(np.float16))
    return np.vstack(rows)


def _read(file: Path, faces: int, heads: tuple[Head, ...]) -> NDArray[np.float16]:
    try:
        answers: NDArray[np.float16] = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"{file} is damaged: remove it, and it is made again") from error
    if answers.shape != (faces, sum(len(head.labels) for head in heads)):
        raise BadInput(f"{file} is about other faces: choose another --out")
    return answers


def _mixed(teachers: Targets, people: Targets) -> Targets:
    labelled = people.sum(axis=1, keepdims=True)
    mixed: Targets = teachers * (1 - (1 - _TEACHER_SHARE) * labelled) + (1 - _TEACHER_SHARE) * people
    return mixed


def _by_head(rows: NDArray[np.float32], heads: tuple[Head, ...]) -> dict[str, Targets]:
    ends = np.cumsum([len(head.labels) for head in heads])
    return {head.name: part for head, part in zip(heads, np.split(rows, ends[:-1], axis=1), strict=True)}


def _file(folder: Path, view: int) -> Path:
    return folder / f"view-{view:02}.npy"
