import pytest
from benchmarks import scenes
from benchmarks.heads import camera, expressions, identity
from benchmarks.heads.split import SPLITS, Chance

PEOPLE = range(60)


def test_the_same_number_gives_the_same_draws_and_another_purpose_others() -> None:
    first, again, other = (Chance("test", 3, purpose).between(0, 1) for purpose in ("light", "light", "noise"))
    assert first == again != other


def test_a_setting_of_one_split_is_never_one_of_the_other() -> None:
    draws = {split: [Chance(split, n, "light").between(-5, 3) for n in range(2000)] for split in SPLITS}
    bands = {split: {int((value + 5) / 8 * 32) for value in values} for split, values in draws.items()}
    assert len(bands["train"]) == len(bands["test"]) == 16
    assert not bands["train"] & bands["test"]


def test_both_splits_have_the_whole_range() -> None:
    for split in SPLITS:
        values = [Chance(split, n, "light").between(0, 1) for n in range(2000)]
        assert min(values) < 0.05
        assert max(values) > 0.95
        assert 0.45 < sum(values) / len(values) < 0.55


def test_people_hair_and_brows_are_apart() -> None:
    train, test = ([identity.identity(split, n) for n in PEOPLE] for split in SPLITS)
    assert {one.age for one in train}.isdisjoint(one.age for one in test)
    assert {one.hair for one in train} & {one.hair for one in test} == {identity.BALD}
    assert {one.brows for one in train}.isdisjoint(one.brows for one in test)
    assert all(20 <= one.age <= 75 for one in (*train, *test))
    assert {one.female for one in test} == {0.0, 1.0}


def test_ways_of_making_faces_are_apart() -> None:
    train, test = ({expressions.ways(split, n).full["happy"]["mouthSmile"] for n in PEOPLE} for split in SPLITS)
    assert train.isdisjoint(test)


def test_light_lens_and_noise_are_apart() -> None:
    pytest.importorskip("skimage", reason="the backdrops come with the extra heads")
    train, test = ([camera.setting(split, n, 64, 64, (80, 140)) for n in range(20)] for split in SPLITS)
    for measure in ("blur", "noise"):
        assert {getattr(one, measure) for one in train}.isdisjoint(getattr(one, measure) for one in test)
    assert {one.light.azimuth for one in train}.isdisjoint(one.light.azimuth for one in test)


def test_backdrops_are_apart() -> None:
    train, test = (camera.backdrops(split) for split in SPLITS)
    assert set(train).isdisjoint(test)
    assert {*train, *test} == set(scenes.TEXTURES)
