"""All that an audit finds, by reason, the worst first, and the file that says so."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from cuelens_models.audit.find import odd_ones, perceptual_hashes, repeats
from cuelens_models.audit.findings import Finding
from cuelens_models.audit.study import Studied
from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.data.protocols import label, without_single_votes
from cuelens_models.data.quality import faults

_REPEATED_BITS: Final = 6
_REPEATED_LIKENESS: Final = 0.95
"""The least correlation of the pixels of two faces with like hashes: hashes alone confuse faces that are lit alike."""
_NO_FACE: Final = 0.5
_CLUSTERS: Final = 16
_ODD: Final = 2.5
"""Times the usual distance from the middle of its cluster."""


def audit(studied: Studied, held_out: Faces, seed: int) -> list[Finding]:
    """Return what is wrong with the faces that were studied, reasons one after another, the worst of each first.

    held_out: faces that must not be repeated among them.
    """
    faces = studied.faces
    labelled = label(faces, studied.head.protocol)
    words = np.full(len(faces), "", dtype=np.array(labelled.labels).dtype)
    words[labelled.chosen] = np.array(labelled.labels)[labelled.truth]
    found = [
        *_mislabelled(studied, words),
        *_no_face(studied, words),
        *_repeated(faces, held_out, words),
        *_odd(studied, words, seed),
        *_poor(faces, words),
    ]
    order = {reason: place for place, reason in enumerate(dict.fromkeys(finding.reason for finding in found))}
    return sorted(found, key=lambda finding: (order[finding.reason], -finding.score, finding.index))


def _mislabelled(studied: Studied, words: NDArray[np.str_]) -> Iterator[Finding]:
    """Confident learning (Northcutt et al. 2021, arXiv 1911.00068), where another label is the likeliest one too.

    Where people voted, two of them at least must have said that other label: against ten, a network is what errs.
    """
    labelled = label(studied.faces, studied.head.protocol)
    asked = studied.probabilities[labelled.chosen, : len(labelled.labels)]
    among = asked / np.maximum(asked.sum(axis=1, keepdims=True), 1e-9)
    rows, other = np.arange(len(among)), among.argmax(axis=1)
    doubted = find_label_issues(labelled.truth, among, filter_by="confident_learning", n_jobs=1)
    ballots = without_single_votes(studied.faces.votes[labelled.chosen])
    columns = np.array([VOTES.index(word) for word in labelled.labels])
    backed = (ballots[rows, columns[other]] > 0) | (ballots.sum(axis=1) == 0)
    by = among[rows, other] - among[rows, labelled.truth]
    for place in np.flatnonzero(doubted & backed & (by > 0)):
        face = int(labelled.chosen[place])
        yield Finding(face, "label", str(words[face]), labelled.labels[other[place]], float(by[place]))


def _no_face(studied: Studied, words: NDArray[np.str_]) -> Iterator[Finding]:
    if NOT_A_FACE not in studied.head.labels:
        return
    believed = studied.probabilities[:, studied.head.labels.index(NOT_A_FACE)]
    for face in np.flatnonzero(believed >= _NO_FACE).tolist():
        yield Finding(face, "no face", str(words[face]), NOT_A_FACE, float(believed[face]))


def _repeated(faces: Faces, held_out: Faces, words: NDArray[np.str_]) -> Iterator[Finding]:
    pixels = np.concatenate([faces.pixels, held_out.pixels])
    told = set()
    for first, second in repeats(perceptual_hashes(pixels), _REPEATED_BITS).tolist():
        likeness = _likeness(pixels[first], pixels[second])
        # Of two that are learned from the later one goes, and whatever is held out stays.
        face, like = (second, first) if second < len(faces) else (first, second)
        if face >= len(faces) or likeness < _REPEATED_LIKENESS or face in told:
            continue
        told.add(face)
        rather = f"face {like}" if like < len(faces) else f"held-out face {like - len(faces)}"
        yield Finding(face, "repeat", str(words[face]), rather, likeness)


def _likeness(one: Grey, other: Grey) -> float:
    """Return the correlation of two faces' pixels; an even picture is like itself alone."""
    if np.array_equal(one, other):
        return 1.0
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _odd(studied: Studied, words: NDArray[np.str_], seed: int) -> Iterator[Finding]:
    for fold in np.unique(studied.fold):
        mine = np.flatnonzero(studied.fold == fold)
        away = odd_ones(studied.features[mine], _CLUSTERS, seed)
        for place in np.flatnonzero(away >= _ODD):
            face = int(mine[place])
            yield Finding(face, "unlike others", str(words[face]), "", float(away[place]))


def _poor(faces: Faces, words: NDArray[np.str_]) -> Iterator[Finding]:
    for face, pixels in enumerate(faces.pixels):
        for fault in faults(pixels):
            yield Finding(face, fault, str(words[face]), "", 1.0)
