"""The recipe: one typed object that YAML, the command line and a request hydrate alike.

Keys stand in the order of the flow. An entry with a `name` is the object it names, found by entry point; no import
path ever comes from a file. Mistakes are reported all at once, each with its path and the nearest valid name.
"""

from seisloom.recipe.entry import Entry, Json
from seisloom.recipe.packaged import packaged_recipe, packaged_recipes, usual_recipe
from seisloom.recipe.parts import FinishConfig, SplitConfig, TrainConfig
from seisloom.recipe.paths import expand
from seisloom.recipe.read import config_from, kind_of, read_recipe, read_values, recipe_from, with_changes
from seisloom.recipe.recipe import Hint, Recipe

__all__ = [
    "Entry", "FinishConfig", "Hint", "Json", "Recipe", "SplitConfig", "TrainConfig",
    "config_from", "expand", "kind_of", "packaged_recipe", "packaged_recipes",
    "read_recipe", "read_values", "recipe_from", "usual_recipe", "with_changes",
]  # fmt: skip
