import pytest

from cuelens.cues.baseline import Baseline, learn, usual

POPULATION = (-5.0, -3.0)


def after(margins: tuple[float, float], seconds: float, baseline: Baseline | None = None) -> Baseline:
    """Return the baseline after calm readings, fifteen a second."""
    learnt = baseline or Baseline(margins, margins, margins)
    for _ in range(round(seconds * 15)):
        learnt = learn(learnt, margins, 1 / 15, calm=1.0, unsettled=1.0)
    return learnt


def test_a_new_face_is_taken_for_anybody() -> None:
    new = Baseline(POPULATION, POPULATION, POPULATION)
    assert usual(new, POPULATION) == POPULATION
    assert (new.known, new.variance) == (0.0, 1.0)


def test_what_is_usual_moves_from_the_population_to_the_face_as_it_is_known() -> None:
    seen = [usual(after((-1.0, -7.0), seconds), POPULATION)[0] for seconds in (0.07, 0.3, 1.0, 20.0)]
    assert seen == sorted(seen)
    assert -5.0 < seen[0] < -4.0
    assert seen[-1] == pytest.approx(-1.0, abs=0.4)


def test_a_steady_face_is_known_as_steady_and_a_restless_one_as_restless() -> None:
    restless = Baseline(POPULATION, POPULATION, POPULATION)
    for n in range(150):
        restless = learn(restless, (-1.0, -7.0) if n // 5 % 2 else (-5.0, -3.0), 1 / 15, calm=1.0, unsettled=1.0)
    assert after(POPULATION, 10).variance < 0.05
    assert restless.variance > 0.15


def test_a_face_that_smiles_steadily_is_known_as_steady_though_it_is_not_calm() -> None:
    smiling = Baseline(POPULATION, POPULATION, POPULATION)
    for _ in range(60):
        smiling = learn(smiling, (3.0, -5.0), 1 / 15, calm=0.0, unsettled=1.0)
    assert smiling.variance < 0.5
    assert (smiling.known, smiling.margins) == (0.0, POPULATION)


def test_what_is_not_calm_moves_no_margin() -> None:
    before = after(POPULATION, 5)
    after_smile = learn(before, (4.0, 4.0), 1.0, calm=0.0, unsettled=0.0)
    assert (after_smile.margins, after_smile.variance) == (before.margins, before.variance)


def test_after_twenty_seconds_the_newest_replace_the_oldest() -> None:
    old = after((-1.0, -1.0), 60)
    assert old.calm_s == pytest.approx(20.0)
    assert after((-5.0, -5.0), 60, old).margins[0] == pytest.approx(-5.0, abs=0.3)


def test_a_face_of_no_expressions_is_taken_as_it_is() -> None:
    assert learn(Baseline((), (), ()), (), 1.0, calm=1.0, unsettled=1.0).margins == ()
