import pkgutil
import re
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("keras", reason="networks need the extra train")

import keras

from cuelens_models import zoo
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.zoo import published
from cuelens_models.zoo.published import RECIPES
from cuelens_models.zoo.recipe import HEAD


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("vgg-blocks", 19.0),
        ("vgg-blocks-5", 4.78),
        ("elu-6", 3.84),
        ("ferplus-bn", 3.62),
        ("four-class", 1.11),
    ],
)
def test_a_network_has_as_many_parameters_as_the_published_one(name: str, millions: float) -> None:
    recipe = RECIPES[name]
    network = recipe.build(len(PROTOCOLS[recipe.protocol]))
    assert network.count_params() / 1e6 == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_and_answers_one_number_for_each_label(name: str) -> None:
    recipe = RECIPES[name]
    labels = PROTOCOLS[recipe.protocol]
    answers = recipe.build(len(labels)).predict(np.zeros((2, 48, 48, 1), np.float32), verbose=0)
    assert set(answers) == {HEAD}
    assert answers[HEAD].shape == (2, len(labels))


def test_every_file_with_recipes_is_among_the_published_ones() -> None:
    files = (import_module(f"{zoo.__name__}.{file.name}") for file in pkgutil.iter_modules(zoo.__path__))
    recipes = {recipe.name for file in files if file is not published for recipe in getattr(file, "RECIPES", ())}
    assert recipes == set(RECIPES)


def test_recipes_are_named_so_that_files_and_networks_can_be() -> None:
    for name, recipe in RECIPES.items():
        assert name == recipe.name
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
        assert recipe.summary
        assert all(sentence.endswith(".") for sentence in recipe.differs)


def test_a_grouped_network_believes_in_groups_and_in_labels_within_them() -> None:
    recipe = RECIPES["cuelens-grouped"]
    network = recipe.build(7)
    faces = np.random.default_rng(0).standard_normal((4, 48, 48, 1)).astype(np.float32)
    groups = keras.Model(network.input, network.get_layer("group").output).predict(faces, verbose=0)
    believed = np.exp(network.predict(faces, verbose=0)[HEAD])
    np.testing.assert_allclose(believed.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(believed[:, 1:3].sum(axis=1), np.exp(groups[:, 1]), atol=1e-5)
    np.testing.assert_allclose(believed[:, 3:].sum(axis=1), np.exp(groups[:, 2]), atol=1e-5)
    assert PROTOCOLS["fer7"][0] == "neutral"
    assert PROTOCOLS["fer7"][1:3] == ("happy", "surprise")
