"""Votes and labels as FER+ and FER2013 have them: they agree on two faces of three, and what is off is found."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.data.faces import EMOTIONS, VOTES
from cuelens_models.data.fer2013.ferplus_csv import Ballots
from cuelens_models.data.fer2013.joining import Labels, join
from cuelens_models.errors import BadInput

COUNT = 1200
PARTS = np.repeat(["training", "publictest", "privatetest"], [800, 200, 200])


def made(seed: int = 0, agreement: float = 0.66) -> tuple[Labels, Ballots]:
    """Return labels and ballots of the same faces."""
    random = np.random.default_rng(seed)
    emotion = random.integers(0, len(EMOTIONS), COUNT).astype(np.int8)
    voted = np.where(random.random(COUNT) < agreement, emotion, random.integers(0, len(EMOTIONS), COUNT))
    votes = np.zeros((COUNT, len(VOTES)), np.uint8)
    votes[np.arange(COUNT), [VOTES.index(EMOTIONS[place]) for place in voted]] = 7
    votes[:, VOTES.index("unknown")] = 3
    lines = np.arange(2, COUNT + 2)
    return (
        Labels(Path("fer2013.csv"), emotion, PARTS, lines),
        Ballots(Path("fer2013new.csv"), PARTS, np.arange(COUNT), votes, lines),
    )


def rows(labels: Labels, kept: NDArray[np.intp]) -> Labels:
    return Labels(labels.path, labels.emotion[kept], labels.parts[kept], np.arange(2, len(kept) + 2))


def ballots_of(ballots: Ballots, kept: NDArray[np.intp]) -> Ballots:
    return Ballots(
        ballots.path, ballots.usages[kept], ballots.numbers[kept], ballots.votes[kept], np.arange(2, len(kept) + 2)
    )


EVERY = np.arange(COUNT)


@pytest.mark.parametrize("seed", range(20))
def test_files_that_belong_together_are_joined(seed: int) -> None:
    labels, ballots = made(seed)
    joined = join(labels, ballots)
    np.testing.assert_array_equal(joined.votes, ballots.votes)
    np.testing.assert_array_equal(joined.parts, PARTS)


def test_rows_missing_from_both_files_are_no_fault() -> None:
    labels, ballots = made()
    kept = np.delete(EVERY, [3, 77, 500])
    assert len(join(rows(labels, kept), ballots_of(ballots, kept)).votes) == COUNT - 3


@pytest.mark.parametrize(
    ("kept", "parts"),
    [
        pytest.param(EVERY, PARTS, id="as many as all ballots"),
        pytest.param(EVERY[:800], PARTS[:800], id="as many as those of training"),
    ],
)
def test_labels_without_usage_are_joined_with_as_many_ballots(kept: NDArray[np.intp], parts: NDArray[np.str_]) -> None:
    labels, ballots = made()
    joined = join(Labels(labels.path, labels.emotion[kept], np.full(len(kept), ""), labels.lines[kept]), ballots)
    np.testing.assert_array_equal(joined.parts, parts)
    np.testing.assert_array_equal(joined.votes, ballots.votes[kept])


SHUFFLED = np.random.default_rng(1).permutation(COUNT)
BY_PART = np.argsort(PARTS, kind="stable")
TRAINING_REVERSED = np.concatenate([EVERY[:800][::-1], EVERY[800:]])


@pytest.mark.parametrize(
    ("labels_kept", "ballots_kept", "words"),
    [
        pytest.param(EVERY, EVERY[:-1], r"has 1199 rows and fer2013\.csv has 1200", id="a ballot missing"),
        pytest.param(EVERY[:900], EVERY, r"has 1200 rows and fer2013\.csv has 900", id="labels missing"),
        pytest.param(EVERY, EVERY[::-1], r"line 2 is of the part privatetest, but .* of training", id="reversed"),
        pytest.param(EVERY, SHUFFLED, r"is of the part .*lines differ", id="ballots shuffled"),
        pytest.param(EVERY, BY_PART, r"is of the part .*lines differ", id="sorted by part"),
        pytest.param(EVERY, TRAINING_REVERSED, r"line 3: image 798 stands behind image 799", id="one part reversed"),
        pytest.param(TRAINING_REVERSED, EVERY, r"agree with \d+% of the labels", id="labels of one part reversed"),
        pytest.param(
            np.delete(EVERY, 100), np.delete(EVERY, 700), r"1 lines further up", id="cleaned differently by one row"
        ),
        pytest.param(
            np.delete(EVERY, [600, 601, 602]),
            np.delete(EVERY, [200, 201, 202]),
            r"lines \d+ to \d+ fit the labels of fer2013\.csv 3 lines further down",
            id="cleaned differently by three rows",
        ),
    ],
)
def test_a_join_that_is_off_is_refused_and_says_how(
    labels_kept: NDArray[np.intp], ballots_kept: NDArray[np.intp], words: str
) -> None:
    labels, ballots = made()
    with pytest.raises(BadInput, match=words) as refused:
        join(rows(labels, labels_kept), ballots_of(ballots, ballots_kept))
    assert "take both files as they were published" in str(refused.value)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("length", [100, 400])
def test_a_stretch_that_is_shifted_is_noticed(seed: int, length: int) -> None:
    labels, ballots = made(seed)
    with pytest.raises(BadInput, match="lines further up"):
        join(rows(labels, np.delete(EVERY, 100)), ballots_of(ballots, np.delete(EVERY, 100 + length)))


def test_votes_for_other_faces_are_refused() -> None:
    labels, _ = made(0)
    _, other = made(1)
    with pytest.raises(BadInput, match=r"agree with \d+% of the labels of fer2013\.csv, where two of three are usual"):
        join(labels, other)


def test_images_that_were_removed_and_unclear_votes_say_nothing() -> None:
    labels, ballots = made()
    votes = ballots.votes.copy()
    votes[:, :] = 1
    assert len(join(labels, Ballots(ballots.path, PARTS, ballots.numbers, votes, ballots.lines)).votes) == COUNT
    removed = np.full(COUNT, -1)
    assert (join(labels, Ballots(ballots.path, PARTS, removed, ballots.votes, ballots.lines)).numbers == -1).all()


@pytest.mark.data
def test_the_real_votes_and_labels_belong_together_and_are_noticed_if_shifted(data_dir: Path) -> None:
    path = data_dir / "fer2013_training.npz"
    if not path.exists():
        pytest.skip(f"{data_dir} holds no {path.name}")
    with np.load(path) as arrays:
        known = arrays["emotion"] >= 0
        emotion, votes, numbers = (arrays[name][known] for name in ("emotion", "votes", "row"))
    parts, lines = np.full(len(emotion), "training"), np.arange(2, len(emotion) + 2)
    labels = Labels(Path("fer2013.csv"), emotion, parts, lines)
    ballots = Ballots(Path("fer2013new.csv"), parts, numbers.astype(np.intp), votes, lines)
    np.testing.assert_array_equal(join(labels, ballots).votes, votes)
    every = np.arange(len(emotion))
    with pytest.raises(BadInput, match="1 lines further up"):
        join(rows(labels, np.delete(every, 9000)), ballots_of(ballots, np.delete(every, 9200)))
    with pytest.raises(BadInput, match="they are of other faces"):
        join(rows(labels, np.roll(every, 100)), ballots)
