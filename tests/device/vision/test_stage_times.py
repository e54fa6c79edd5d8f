"""Times of beats: in order, the last ones only, and in memory of a fixed size."""

import tracemalloc

import pytest

from cuelens.vision.stage_times import Beats, StageTimes

KINDS = ("none", "sweep", "region")


def added(beats: Beats, count: int) -> list[tuple[str, int, int, int, int]]:
    """Add beats that all differ, and return them."""
    all_ns = [(KINDS[number % 3], 2**40 + number, number, number + 1, number + 2) for number in range(count)]
    for beat in all_ns:
        beats.append(*beat)
    return all_ns


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 40])
def test_the_last_beats_are_kept_in_order(count: int) -> None:
    beats = Beats(7)
    last = added(beats, count)[-7:]
    assert list(beats) == last
    assert len(beats) == len(last)
    assert [beats[place] for place in range(-len(last), 0)] == last


def test_cleared_beats_are_gone_and_others_begin() -> None:
    beats = Beats(7)
    added(beats, 10)
    beats.clear()
    assert not beats
    assert list(beats) == []
    with pytest.raises(IndexError):
        beats[-1]
    assert added(beats, 3) == list(beats)


def test_a_beat_takes_no_memory() -> None:
    watch = StageTimes()
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(2):
            for _ in range(1000):
                watch.begin()
                watch.set_kind("sweep")
                watch.add("haar", 0)
                watch.end()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # A few numbers of the current beat may be larger than those of the first.
    assert sizes[1] - sizes[0] < 2000
