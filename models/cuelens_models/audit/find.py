"""The search for near-duplicates and outliers in a set of faces."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import Scores

Hashes = NDArray[np.uint64]

_LOW: Final = 8
"""A hash is made of the lowest 8x8 frequencies."""
_ROWS: Final = 512
_LEAST_CLUSTER: Final = 3
"""Least images of a cluster. A smaller one is a group of outliers."""
_BITS: Final = np.array([value.bit_count() for value in range(1 << 16)], np.uint8)
"""Number of set bits of each 16-bit word."""


def perceptual_hashes(pixels: Grey) -> Hashes:
    """Return the perceptual hash of each face, (n,): 64 bits, a frequency above the median each (pHash: Zauner 2010).

    A face that is scaled, compressed or brightened keeps nearly all of its bits.
    """
    powers = np.uint64(1) << np.arange(_LOW * _LOW, dtype=np.uint64)
    hashes = np.empty(len(pixels), np.uint64)
    for place, face in enumerate(pixels):
        low = cv2.dct(face.astype(np.float32))[:_LOW, :_LOW].ravel()
        hashes[place] = powers[low > np.median(low[1:])].sum(dtype=np.uint64)
    return hashes


def near_duplicates(hashes: Hashes, bits: int) -> NDArray[np.intp]:
    """Return the indices of all pairs whose hashes differ in at most `bits` bits, (pairs, 2), the lower one first."""
    pairs = []
    for start in range(0, len(hashes), _ROWS):
        different = hashes[start : start + _ROWS, np.newaxis] ^ hashes[np.newaxis, start:]
        words = np.ascontiguousarray(different).view(np.uint16).reshape(*different.shape, 4)
        first, second = np.nonzero(_BITS[words].sum(axis=2) <= bits)
        pairs.append(np.stack([first, second], axis=1)[first < second] + start)
    return np.concatenate(pairs) if pairs else np.empty((0, 2), np.intp)


def cluster_distances(features: Scores, clusters: int, seed: int) -> Scores:
    """Return the distance of each image from the centre of its cluster, as a multiple of the median there, (n,).

    The clusters are those of k-means. The images of a very small cluster are assigned to the nearest of the others.

    Args:
        features: (n, features).
        clusters: their number.
        seed: of k-means.
    """
    from sklearn.cluster import KMeans

    means = KMeans(min(clusters, len(features)), n_init=3, random_state=seed).fit(features)
    sizes = np.bincount(means.labels_)
    centres = means.cluster_centers_[sizes >= min(max(_LEAST_CLUSTER, len(features) / clusters / 4), sizes.max())]
    distances = np.linalg.norm(features[:, np.newaxis] - centres, axis=2)
    nearest, distance = distances.argmin(axis=1), distances.min(axis=1)
    median = np.array([np.median(distance[nearest == centre]) for centre in range(len(centres))])
    return np.asarray(distance / np.maximum(median[nearest], 1e-9), np.float64)
