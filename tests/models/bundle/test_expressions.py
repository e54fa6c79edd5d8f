import pytest

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE, SYNONYMS, UNSURE, canonical, check_labels
from cuelens_models.errors import BadInput


def test_labels_stand_in_the_order_of_the_design() -> None:
    assert LABELS == ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")


@pytest.mark.parametrize("label", [*LABELS, NOT_A_FACE])
def test_a_label_is_its_own_canonical_form(label: str) -> None:
    assert canonical(label) == label


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("happiness", "happy"),
        ("Joy", "happy"),
        ("sorrow", "sad"),
        ("  Sadness\n", "sad"),
        ("ANGER", "angry"),
        ("surprised", "surprise"),
        ("fearful", "fear"),
        ("NF", "not_a_face"),
        ("not a face", "not_a_face"),
        ("Not-A-Face", "not_a_face"),
    ],
)
def test_a_synonym_is_understood_in_any_spelling(word: str, expected: str) -> None:
    assert canonical(word) == expected


@pytest.mark.parametrize("word", ["", "bored", "unsure", "unknown", "happy happy", "häppy"])
def test_an_unknown_word_is_refused_with_the_words_that_are_known(word: str) -> None:
    with pytest.raises(BadInput, match="neutral, happy"):
        canonical(word)


def test_no_synonym_is_a_label_and_each_stands_for_one() -> None:
    labels = {*LABELS, NOT_A_FACE}
    assert not labels & set(SYNONYMS)
    assert set(SYNONYMS.values()) <= labels
    assert UNSURE not in labels


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        (["neutral", "happy"], None),
        (["sad", "neutral", "not_a_face"], None),
        (["happy"], "two or more"),
        ([], "two or more"),
        (["happy", "happy"], "distinct"),
        (["happy", "sadness"], "write 'sad'"),
        (["happy", "Sad"], "write 'sad'"),
        (["happy", "bored"], "no expression"),
        (["happy", "unsure"], "no expression"),
    ],
)
def test_a_models_labels_are_distinct_and_canonical(labels: list[str], error: str | None) -> None:
    if error is None:
        check_labels(labels)
    else:
        with pytest.raises(BadInput, match=error):
            check_labels(labels)
