"""What teachers answer about every view of every face, kept in files, for a smaller network to learn from.

The answers of several teachers are averaged (Hinton et al. 2015, arXiv 1503.02531). Teacher and student see the same
face moved and lit in the same way (Beyer et al. 2021, arXiv 2106.05237), but what a small camera does to it the student
alone sees: it learns to answer as if nothing had been lost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import Scores
from cuelens_models.data.augment import posed
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput
from cuelens_models.train.batches import Answers, changed, said_by_people
from cuelens_models.train.targets import Head, Targets

if TYPE_CHECKING:
    from cuelens_models.train.distributed import Team

_TEACHER_SHARE: Final = 0.7
"""How much of a target the teachers say; people say the rest, where they said anything."""
_BATCH: Final = 512


@dataclass(frozen=True, slots=True)
class Teacher:
    """heads: the names of those that it answers. answer: from faces, uint8 (n, 48, 48), to probabilities by head."""

    heads: frozenset[str]
    answer: Callable[[Grey], Mapping[str, Scores]]


def give(
    teachers: Sequence[Teacher],
    faces: Faces,
    heads: tuple[Head, ...],
    views: int,
    seed: int,
    folder: Path,
    step: Callable[[int], None],
    team: "Team | None" = None,
) -> Answers:
    """Ask the teachers about every view, and return what a student should answer.

    A head that no teacher answers is learned from people alone. A view whose file is in `folder` is not asked about
    again. step: told each view that is done. In a team each process asks about some of the views, and then has the
    answers of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taught = tuple(head for head in heads if any(head.name in teacher.heads for teacher in teachers))
    mine, of = (team.number, team.size) if team else (0, 1)
    for view in range(1 + mine, views + 1, of):
        file = _file(folder, view)
        if not file.exists():
            content = BytesIO()
            np.save(content, _asked(teachers, faces, taught, view, seed))
            write_whole(file, content.getvalue())
        step(view)
    if team:
        team.wait()
    kept = [_kept(_file(folder, view), len(faces), taught) for view in range(1, views + 1)]
    people = said_by_people(faces, heads)

    def answers(view: int, chosen: NDArray[np.intp]) -> dict[str, Targets]:
        of_teachers = _by_head(np.asarray(kept[view - 1][chosen], np.float32), taught)
        return {
            name: _mixed(of_teachers[name], said) if name in of_teachers else said
            for name, said in people(view, chosen).items()
        }

    return answers


def _kept(file: Path, faces: int, heads: tuple[Head, ...]) -> NDArray[np.float16]:
    try:
        answers: NDArray[np.float16] = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"{file} is damaged: remove it, and it is made again") from error
    if answers.shape != (faces, sum(len(head.labels) for head in heads)):
        raise BadInput(f"{file} is about other faces: choose another --out")
    return answers


def _mixed(teachers: Targets, people: Targets) -> Targets:
    spoken = people.sum(axis=1, keepdims=True)
    mixed: Targets = teachers * (1 - (1 - _TEACHER_SHARE) * spoken) + (1 - _TEACHER_SHARE) * people
    return mixed


def _asked(
    teachers: Sequence[Teacher], faces: Faces, heads: tuple[Head, ...], view: int, seed: int
) -> NDArray[np.float16]:
    """Return the teachers' mean probabilities, heads side by side: (faces, all labels of all heads)."""
    answers = []
    for start in range(0, len(faces), _BATCH):
        chosen = np.arange(start, min(start + _BATCH, len(faces)))
        shown = changed(faces, chosen, view, seed, posed)
        said = [teacher.answer(shown) for teacher in teachers]
        means = [np.mean([each[head.name] for each in said if head.name in each], axis=0) for head in heads]
        answers.append(np.hstack(means).astype(np.float16))
    return np.vstack(answers)


def _by_head(rows: NDArray[np.float32], heads: tuple[Head, ...]) -> dict[str, Targets]:
    ends = np.cumsum([len(head.labels) for head in heads])
    return {head.name: part for head, part in zip(heads, np.split(rows, ends[:-1], axis=1), strict=True)}


def _file(folder: Path, view: int) -> Path:
    return folder / f"view-{view:02}.npy"
