"""The 95 % interval of the expected calibration error (ECE).

The ECE of a sample is biased upwards: chance moves accuracy away from confidence in every bin, and distances do not
cancel. A bootstrap of the ECE adds this bias once more, so its percentiles miss the ECE of a well calibrated model.

Here the gaps of the bins are redrawn, not the ECE: a gap is the sum of many images, so its error is normal (a
parametric bootstrap). Let the true gaps be m and their errors z. The ECE of the sample, the sum of |m + z|, is at most
the sum of |m| + |z|. So the true ECE is under the lower end only if the sum of |z| exceeds its 97.5th percentile.
Where a gap is far from zero its error counts with the gap's sign; the distance for this grows with the number of images
as in Andrews and Soares 2010, section 4. The sum is also at least the sum of |m| plus the errors with the signs of m,
which is normal and gives the upper end. So the interval includes the ECE of the sample.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.scores import Scores
from cuelens_models.evaluate.metrics import BINS, Interval, bins_of

_DRAWS: Final = 1000
_TAIL: Final = 97.5
_QUANTILE: Final = 1.959964
"""The 97.5th percentile of the standard normal distribution."""


def ece_interval(probabilities: Scores, truth: NDArray[np.intp], seed: int) -> Interval:
    """Return an interval for the ECE in infinitely many images, in the bins of `metrics.ece`. It includes the sample's.

    Args:
        probabilities: (n, labels).
        truth: indices into the labels, (n,).
        seed: of the redrawn gaps. The same seed gives the same interval.
    """
    count = len(truth)
    confidence, bins = probabilities.max(axis=1), bins_of(probabilities)
    away = (probabilities.argmax(axis=1) == truth) - confidence
    gaps = np.bincount(bins, away, BINS) / count
    # A small bin may hold no mistake by chance. Then its confidence says more about its error than its images do.
    observed, expected = np.bincount(bins, away**2, BINS), np.bincount(bins, confidence * (1 - confidence), BINS)
    deviations = np.sqrt(np.maximum(observed, expected)) / count
    errors = np.random.default_rng(seed).normal(0.0, deviations, (_DRAWS, BINS))
    far = np.abs(gaps) > np.sqrt(np.log(count)) * deviations
    by_chance = np.percentile(np.where(far, errors, np.abs(errors)).sum(axis=1), _TAIL)
    figure = np.abs(gaps).sum()
    low, high = figure - max(0.0, by_chance), figure + _QUANTILE * np.sqrt((deviations**2).sum())
    return max(0.0, float(low)), min(1.0, float(high))
