"""The audit itself: every check of the faces, and its findings in order."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from cuelens_models.audit.find import cluster_distances, near_duplicates, perceptual_hashes
from cuelens_models.audit.findings import Finding
from cuelens_models.audit.study import OutOfFold
from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.data.protocols import label, without_single_votes
from cuelens_models.data.quality import faults

_DUPLICATE_BITS: Final = 6
"""Most bits in which the hashes of two near-duplicates differ."""
_DUPLICATE_CORRELATION: Final = 0.95
"""Least correlation of their pixels. Hashes alone also match different faces in the same lighting."""
_NO_FACE: Final = 0.5
_CLUSTERS: Final = 16
_OUTLIER: Final = 2.5
"""Distance of an outlier from the centre of its cluster, as a multiple of the median distance there."""


def audit(predictions: OutOfFold, held_out: Faces, seed: int) -> list[Finding]:
    """Return what is wrong with a set of faces, grouped by reason, the worst of each reason first.

    Args:
        predictions: the faces, with predictions of networks that did not learn from them.
        held_out: faces of which no near-duplicate may be in the set.
        seed: of the clusters.
    """
    faces = predictions.faces
    labelled = label(faces, predictions.head.protocol)
    words = np.full(len(faces), "", dtype=np.array(labelled.labels).dtype)
    words[labelled.indices] = np.array(labelled.labels)[labelled.truth]
    findings = [
        *_mislabelled(predictions, words),
        *_no_face(predictions, words),
        *_duplicates(faces, held_out, words),
        *_outliers(predictions, words, seed),
        *_poor(faces, words),
    ]
    order = {reason: place for place, reason in enumerate(dict.fromkeys(finding.reason for finding in findings))}
    return sorted(findings, key=lambda finding: (order[finding.reason], -finding.score, finding.index))


def _mislabelled(predictions: OutOfFold, words: NDArray[np.str_]) -> Iterator[Finding]:
    """Label errors by confident learning (Northcutt et al. 2021, arXiv 1911.00068), if another label is likelier.

    If people voted on the face, at least two of them must have voted for that label. If none of ten people saw it, the
    network is probably wrong, not the label.
    """
    labelled = label(predictions.faces, predictions.head.protocol)
    if len(np.unique(labelled.truth)) < 2:  # confident learning compares labels
        return
    restricted = predictions.probabilities[labelled.indices, : len(labelled.labels)]
    probabilities = restricted / np.maximum(restricted.sum(axis=1, keepdims=True), 1e-9)
    rows, other = np.arange(len(probabilities)), probabilities.argmax(axis=1)
    issues = find_label_issues(labelled.truth, probabilities, filter_by="confident_learning", n_jobs=1)
    votes = without_single_votes(predictions.faces.votes[labelled.indices])
    columns = np.array([VOTES.index(word) for word in labelled.labels])
    supported = (votes[rows, columns[other]] > 0) | (votes.sum(axis=1) == 0)
    margin = probabilities[rows, other] - probabilities[rows, labelled.truth]
    for place in np.flatnonzero(issues & supported & (margin > 0)):
        face = int(labelled.indices[place])
        yield Finding(face, "label", str(words[face]), labelled.labels[other[place]], float(margin[place]))


def _no_face(predictions: OutOfFold, words: NDArray[np.str_]) -> Iterator[Finding]:
    labels = predictions.head.labels
    if NOT_A_FACE not in labels:
        return
    probability = predictions.probabilities[:, labels.index(NOT_A_FACE)]
    for face in np.flatnonzero(probability >= _NO_FACE).tolist():
        yield Finding(face, "no face", str(words[face]), NOT_A_FACE, float(probability[face]))


def _duplicates(faces: Faces, held_out: Faces, words: NDArray[np.str_]) -> Iterator[Finding]:
    pixels = np.concatenate([faces.pixels, held_out.pixels])
    reported = set()
    for first, second in near_duplicates(perceptual_hashes(pixels), _DUPLICATE_BITS).tolist():
        correlation = _correlation(pixels[first], pixels[second])
        # Of two faces of the set, the later one is reported; a held-out face never is.
        face, original = (second, first) if second < len(faces) else (first, second)
        if face >= len(faces) or correlation < _DUPLICATE_CORRELATION or face in reported:
            continue
        reported.add(face)
        rather = f"face {original}" if original < len(faces) else f"held-out face {original - len(faces)}"
        yield Finding(face, "repeat", str(words[face]), rather, correlation)


def _correlation(one: Grey, other: Grey) -> float:
    """Return the correlation of two faces' pixels: 1 if they are equal, 0 if only one is of a single grey level."""
    if np.array_equal(one, other):
        return 1.0
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _outliers(predictions: OutOfFold, words: NDArray[np.str_], seed: int) -> Iterator[Finding]:
    for fold in np.unique(predictions.fold):
        indices = np.flatnonzero(predictions.fold == fold)
        distance = cluster_distances(predictions.features[indices], _CLUSTERS, seed)
        for place in np.flatnonzero(distance >= _OUTLIER):
            face = int(indices[place])
            yield Finding(face, "unlike others", str(words[face]), "", float(distance[place]))


def _poor(faces: Faces, words: NDArray[np.str_]) -> Iterator[Finding]:
    for face, pixels in enumerate(faces.pixels):
        for fault in faults(pixels):
            yield Finding(face, fault, str(words[face]), "", 1.0)
