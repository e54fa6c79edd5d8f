from pathlib import Path

import numpy as np
import pytest

from cuelens_models.data import npz
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.data.protocols import PROTOCOLS, exclusions, label, without_single_votes
from cuelens_models.errors import BadInput


def faces(ballots: list[dict[str, int]], emotion: list[str] | None = None) -> Faces:
    """Return black faces with these votes and original labels ("" where there is none)."""
    n = len(ballots)
    votes = np.array([[ballot.get(word, 0) for word in VOTES] for ballot in ballots], np.uint8)
    emotions = np.array([EMOTIONS.index(word) if word else -1 for word in emotion or [""] * n], np.int8)
    return Faces(np.zeros((n, 48, 48), np.uint8), emotions, votes)


def words(sample: Faces, protocol: str) -> dict[int, str]:
    """Return index and label of each image that counts."""
    labelled = label(sample, protocol)
    return {
        int(place): labelled.labels[int(truth)] for place, truth in zip(labelled.indices, labelled.truth, strict=True)
    }


@pytest.mark.parametrize(
    ("ballot", "expected"),
    [
        pytest.param({"happy": 10}, "happy", id="all agree"),
        pytest.param({"happy": 6, "sad": 4}, "happy", id="more than half"),
        pytest.param({"happy": 5, "sad": 5}, None, id="a tie"),
        pytest.param({"happy": 5, "sad": 3, "fear": 2}, None, id="half is not more than half"),
        pytest.param({"happy": 4, "sad": 3, "fear": 3}, None, id="most, but not half"),
        pytest.param({"happy": 5, "sad": 3, "fear": 1, "angry": 1}, "happy", id="single votes dropped"),
        pytest.param({"happy": 2, "sad": 1, "fear": 1, "angry": 1, "disgust": 1}, "happy", id="two beside singles"),
        pytest.param(dict.fromkeys(VOTES, 1), None, id="single votes only"),
        pytest.param({}, None, id="no votes"),
        pytest.param({"unknown": 8, "happy": 2}, None, id="unknown"),
        pytest.param({"not_a_face": 8, "happy": 2}, None, id="not a face"),
        pytest.param({"unknown": 5, "happy": 5}, None, id="half unknown"),
        pytest.param({"contempt": 8}, "contempt", id="contempt is kept"),
        pytest.param({"neutral": 200, "happy": 100}, "neutral", id="sums beyond a byte"),
    ],
)
def test_ferplus_takes_the_majority_of_what_is_left(ballot: dict[str, int], expected: str | None) -> None:
    # A clear face beside it, because a protocol without a single image is an error.
    labelled = words(faces([ballot, {"fear": 9}]), "ferplus8")
    assert labelled.pop(1) == "fear"
    assert labelled == ({0: expected} if expected else {})


def test_ferplus7_calls_contempt_neutral() -> None:
    sample = faces([{"contempt": 8}, {"neutral": 8}, {"sad": 8}])
    assert words(sample, "ferplus7") == {0: "neutral", 1: "neutral", 2: "sad"}
    assert "contempt" not in PROTOCOLS["ferplus7"]


@pytest.mark.parametrize(
    ("protocol", "dropped"),
    [
        ("fer7", []),
        ("fer6", ["disgust"]),
        ("fer5", ["disgust", "fear"]),
        ("fer4", ["disgust", "fear", "angry"]),
    ],
)
def test_fer_protocols_take_the_original_labels(protocol: str, dropped: list[str]) -> None:
    sample = faces([{"contempt": 9}] * 8, [*EMOTIONS, ""])
    expected = {place: word for place, word in enumerate(EMOTIONS) if word not in dropped}
    assert words(sample, protocol) == expected
    assert set(PROTOCOLS[protocol]) == set(expected.values())


def test_single_votes_are_dropped_and_the_ballots_left_alone() -> None:
    votes = np.array([[0, 1, 2, 9, 1]], np.uint8)
    assert without_single_votes(votes).tolist() == [[0, 0, 2, 9, 0]]
    assert votes.tolist() == [[0, 1, 2, 9, 1]]


@pytest.mark.parametrize(("protocol", "lacking"), [("ferplus8", "votes"), ("ferplus7", "votes"), ("fer7", "emotion")])
def test_data_without_the_labels_of_a_protocol_is_bad_input(protocol: str, lacking: str) -> None:
    with pytest.raises(BadInput, match=lacking):
        label(faces([{}, {}]), protocol)


def test_an_unknown_protocol_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(BadInput, match="ferplus8, ferplus7, fer7"):
        label(faces([{"happy": 9}]), "ferplus9")


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "protocol", "count"),
    [
        ("fer2013_training.npz", "ferplus8", 24_360),
        ("fer2013_publictest.npz", "ferplus8", 3_088),
        ("fer2013_training.npz", "ferplus7", 24_360),
        ("fer2013_training.npz", "fer7", 27_517),
        ("fer2013_publictest.npz", "fer7", 3_444),
    ],
)
def test_the_real_faces_count_as_their_readme_says(data_dir: Path, file: str, protocol: str, count: int) -> None:
    if not (data_dir / file).exists():
        pytest.skip(f"{data_dir} holds no {file}")
    assert len(label(npz.read(data_dir / file), protocol).indices) == count


@pytest.mark.data
def test_the_real_publictest_has_the_classes_its_readme_says(data_dir: Path) -> None:
    path = data_dir / "fer2013_publictest.npz"
    if not path.exists():
        pytest.skip(f"{data_dir} holds no {path.name}")
    labelled = label(npz.read(path), "ferplus8")
    assert np.bincount(labelled.truth, minlength=8).tolist() == [1147, 844, 382, 342, 279, 24, 58, 12]


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("ferplus8", {"no majority": 1, "not_a_face": 1, "unknown": 1}),
        ("ferplus7", {"no majority": 1, "not_a_face": 1, "unknown": 1}),
        ("fer7", {"contempt": 1, "no original label": 2, "not_a_face": 1, "unknown": 1}),
        ("fer6", {"contempt": 1, "disgust": 1, "no original label": 2, "not_a_face": 1, "unknown": 1}),
    ],
)
def test_what_does_not_count_is_counted_by_what_it_is(protocol: str, expected: dict[str, int]) -> None:
    sample = faces(
        [
            {"happy": 9},
            {"contempt": 10},
            {"not_a_face": 8},
            {"unknown": 9},
            {"disgust": 9},
            {"sad": 5, "fear": 5},
            {"sad": 9},
        ],
        ["happy", "", "", "", "disgust", "", ""],
    )
    assert exclusions(sample, label(sample, protocol), protocol) == expected
