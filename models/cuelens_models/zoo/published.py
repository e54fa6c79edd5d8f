"""The recipes that others have published for this task, and two of ours to compare with, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cuelens_models.zoo import elu_6, ferplus_bn, five_class, four_class, grouped, vgg_blocks
from cuelens_models.zoo.recipe import Recipe

_MODULES: Final = (vgg_blocks, elu_6, ferplus_bn, five_class, four_class, grouped)
RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {recipe.name: recipe for module in _MODULES for recipe in module.RECIPES}
)
