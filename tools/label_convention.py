"""How a line's human picks differ from the onset that a network of synthetic records sees: for `data.pick_shift_s`.

    python tools/label_convention.py runs/onset-synthetic onset_refraction data.root=manifests

Measured on the training shots of the recipe alone.
"""

from __future__ import annotations

import argparse

from seisloom.bundle import open_predictor
from seisloom.recipe import read_recipe
from seisloom.split import split
from seisloom.tasks.picking.convention import label_convention
from seisloom.training.loader import LiveSource


def main() -> None:
    """Print the median difference of each line in s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("recipe")
    parser.add_argument("changes", nargs="*")
    given = parser.parse_args()
    opened = open_predictor(given.bundle)
    recipe = read_recipe(given.recipe, [*given.changes, "data.pick_shift_s={}"])
    parts = split(LiveSource(opened.task, recipe).refs, seed=recipe.seed, config=recipe.split)
    for line, late in label_convention(opened, opened.task.records(recipe, parts["train"])).items():
        low, high = late.quartiles_s
        print(f"{line}: {late.median_s:.5f} s late (quartiles {low:.5f}, {high:.5f}; {late.n_picks} picks)")


if __name__ == "__main__":
    main()
