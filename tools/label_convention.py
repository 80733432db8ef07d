"""How a line's human picks differ from the onset that a network of synthetic records sees: for `data.pick_shift_s`.

    python tools/label_convention.py runs/onset-synthetic onset_refraction data.root=manifests

People pick the onset, the first trough, or something between, each line in its own way. The median difference is
measured on the training shots of the recipe alone, over picks within 8 ms of the network's.
"""

from __future__ import annotations

import argparse

import numpy as np

from seisloom.bundle import open_predictor
from seisloom.recipe import read_recipe
from seisloom.split import split
from seisloom.training.loader import LiveSource

NEAR_S = 0.008


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
    table = opened.task.apply(opened.recipe, opened.predictor, None, opened.task.records(recipe, parts["train"]))
    late_s = (table["truth_s"] - table["time_s"]).to_numpy(float)
    for line in sorted(set(table["geometry"])):
        here = (table["geometry"] == line).to_numpy() & (np.abs(late_s) < NEAR_S)
        low, middle, high = np.quantile(late_s[here], [0.25, 0.5, 0.75])
        print(f"{line}: {middle:.5f} s late (quartiles {low:.5f}, {high:.5f}; {here.sum()} picks)")


if __name__ == "__main__":
    main()
