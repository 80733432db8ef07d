"""Whether shards are those of the recipe and of the survey, asked before a training begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seisloom.errors import LeftOut, RecipeError
from seisloom.recipe import Recipe
from seisloom.sample import Array, Ref
from seisloom.task import Task
from seisloom.training.loader import Source


def check_shards(task: Task[Any], recipe: Recipe, source: Source, held_out: Sequence[Ref]) -> None:  # Any: any room
    """Refuse shards of another survey or of other settings now, not when hours of training are to be scored.

    Raises:
        RecipeError: if the survey has none of the samples that are held out, or makes others of them.
    """
    planned = {ref.key: ref for ref in task.plan(recipe)}
    both = [(ref, planned[ref.key]) for ref in held_out if ref.key in planned]
    if held_out and not both:
        raise RecipeError(
            f"the shards are of another survey than --data: it has none of the {len(held_out)} samples that are held "
            f"out, {held_out[0].key} among them. Give the survey that they were written from"
        )
    for stored_ref, live_ref in both[:1]:
        stored, live = next(iter(source.read_many([stored_ref]))), next(iter(task.read_many(recipe, [live_ref])))
        if isinstance(stored, LeftOut) or isinstance(live, LeftOut):
            return
        for field in (one for one in task.sample.fields if one.name in live.arrays and one.name in stored.arrays):
            was, now = stored.arrays[field.name], live.arrays[field.name]
            if was.shape != now.shape or (field.name == "fs" and float(was) != float(now)):
                raise RecipeError(
                    f"the shards were written by another recipe: {field.name} of {stored_ref.key} is {_said(was)} "
                    f"there, and this recipe makes {_said(now)}. Write shards anew, or give the recipe that wrote them "
                    "(`shards:` and `prepare:` must be the same)"
                )


def _said(array: Array) -> str:
    return f"{float(array):g}" if array.ndim == 0 else " x ".join(map(str, array.shape))
