"""Finding faces that stand in a set twice, and those that are unlike all others."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import Scores

Hashes = NDArray[np.uint64]

_LOW: Final = 8
"""Frequencies a side, from the lowest on, of which a hash is made."""
_ROWS: Final = 512
_HANDFUL: Final = 3
_BITS: Final = np.array([value.bit_count() for value in range(1 << 16)], np.uint8)


def perceptual_hashes(pixels: Grey) -> Hashes:
    """Return 64 bits of each face, (n,): which of its lowest frequencies are above their median (pHash: Zauner 2010).

    A picture that is scaled, compressed or brightened keeps nearly all of its bits.
    """
    powers = np.uint64(1) << np.arange(_LOW * _LOW, dtype=np.uint64)
    hashes = np.empty(len(pixels), np.uint64)
    for place, face in enumerate(pixels):
        low = cv2.dct(face.astype(np.float32))[:_LOW, :_LOW].ravel()
        hashes[place] = powers[low > np.median(low[1:])].sum(dtype=np.uint64)
    return hashes


def repeats(hashes: Hashes, bits: int) -> NDArray[np.intp]:
    """Return all pairs whose hashes differ in at most `bits` bits, (pairs, 2), the lower index first."""
    found = []
    for start in range(0, len(hashes), _ROWS):
        different = hashes[start : start + _ROWS, np.newaxis] ^ hashes[np.newaxis, start:]
        words = np.ascontiguousarray(different).view(np.uint16).reshape(*different.shape, 4)
        first, second = np.nonzero(_BITS[words].sum(axis=2) <= bits)
        found.append(np.stack([first, second], axis=1)[first < second] + start)
    return np.concatenate(found) if found else np.empty((0, 2), np.intp)


def odd_ones(features: Scores, clusters: int, seed: int) -> Scores:
    """Return how far each image lies from the middle of its cluster, as a multiple of what is usual there, (n,).

    features: (n, features). Clusters are those of k-means; a handful of images that make one of their own belong to the
    nearest of the others.
    """
    from sklearn.cluster import KMeans

    means = KMeans(min(clusters, len(features)), n_init=3, random_state=seed).fit(features)
    sizes = np.bincount(means.labels_)
    middles = means.cluster_centers_[sizes >= min(max(_HANDFUL, len(features) / clusters / 4), sizes.max())]
    away = np.linalg.norm(features[:, np.newaxis] - middles, axis=2)
    nearest, away = away.argmin(axis=1), away.min(axis=1)
    usual = np.array([np.median(away[nearest == middle]) for middle in range(len(middles))])
    return np.asarray(away / np.maximum(usual[nearest], 1e-9), np.float64)
