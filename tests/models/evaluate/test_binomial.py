from math import comb

import pytest

from cuelens_models.evaluate.binomial import share_interval


@pytest.mark.parametrize(
    ("hits", "count", "expected"),
    [
        pytest.param(0, 1, (0.0, 0.975), id="one image, missed"),
        pytest.param(1, 1, (0.025, 1.0), id="one image, hit"),
        pytest.param(0, 10, (0.0, 1 - 0.025**0.1), id="none of ten"),
        pytest.param(10, 10, (0.025**0.1, 1.0), id="ten of ten"),
        # Clopper and Pearson's interval for 5 of 10, in many tables.
        pytest.param(5, 10, (0.1871, 0.8129), id="half of ten"),
        pytest.param(81, 263, (0.2527, 0.3676), id="81 of 263"),
    ],
)
def test_an_interval_is_that_of_the_tables(hits: int, count: int, expected: tuple[float, float]) -> None:
    assert share_interval(hits, count) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("hits", "count"), [(1, 12), (7, 12), (11, 12), (3, 58), (844, 1147), (29_000, 30_000)])
def test_an_interval_is_scipys(hits: int, count: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy comes with scikit-learn (extra train)")
    expected = stats.binomtest(hits, count).proportion_ci(method="exact")
    assert share_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.97])
def test_19_of_20_intervals_include_the_share(share: float) -> None:
    count = 24
    covered = sum(
        comb(count, hits) * share**hits * (1 - share) ** (count - hits)
        for hits in range(count + 1)
        if share_interval(hits, count)[0] <= share <= share_interval(hits, count)[1]
    )
    assert covered >= 0.95
