"""Which shards are ours: the hash of a recipe."""

from __future__ import annotations

from collections.abc import Callable

from seisloom.recipe import Recipe
from seisloom.run.write import recipe_hash

Tiny = Callable[..., Recipe]


def test_only_what_changes_bytes_changes_the_hash_of_a_recipe(tiny: Tiny) -> None:
    same = ("epochs=9", "batch_size=1", "plots_pos=3", "abstain_width_s=1", "model.stride=2", "augment=[]")
    other = ("seed=1", "pos_win_s=0.01", "prepare=[]", "target_fs=1000", "win_mode=none")
    assert {recipe_hash(tiny(change)) for change in same} == {recipe_hash(tiny())}
    assert len({recipe_hash(tiny(change)) for change in other} | {recipe_hash(tiny())}) == len(other) + 1
