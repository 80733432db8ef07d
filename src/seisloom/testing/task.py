"""What every task must keep."""
# ruff: noqa: PT017, PT018 -- these are asserts of a library, not of a pytest test

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from seisloom.errors import LeftOut
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Arrays, Ref, Sample
from seisloom.task import Task
from seisloom.testing.model import as_batch, check_model, first_items, learn_at_once, n_items
from seisloom.testing.same import assert_same, bytes_of


def check_task(task: Task[Any], recipe: Recipe, *, n_read: int = 8) -> None:  # Any: any room
    """Check that a room keeps what the flow rests on; its data must be small, since all of it is planned.

    Planning is a pure function of the recipe, with unique keys and plain JSON in each ref. Reading is a pure function
    of recipe and ref, and fills the promised fields. Every ref is grouped into items, which fill theirs and are the
    same for the same generator. Losses of the untrained network are finite; its outputs fill the promised fields.
    Applying a record does not depend on the records before it; a calibration survives JSON.

    Args:
        task: the room.
        recipe: a recipe of this room on small data, with the truth that calibration needs.
        n_read: most samples that are read and compared one by one.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    assert isinstance(recipe, task.recipe), f"{task.name}: its recipes are {task.recipe.__name__}, not {type(recipe)}"
    assert recipe_from(json.loads(recipe.model_dump_json())) == recipe, f"{task.name}: a recipe does not survive JSON"
    refs = _check_plan(task, recipe)
    samples = _check_read(task, recipe, refs[:: max(len(refs) // n_read, 1)][:n_read])
    assert samples, f"{task.name}: none of {n_read} samples that were tried qualifies"
    for training in (True, False):
        _check_items(task, recipe, refs, training=training)
    items = first_items(task, recipe, n=n_items(recipe.model))
    check_model(recipe.model, recipe, items=items)
    _check_apply(task, recipe, refs, items)


def _check_plan(task: Task[Any], recipe: Recipe) -> Sequence[Ref]:  # Any: any room
    refs, again = task.plan(recipe), task.plan(recipe)
    assert refs, f"{task.name}.plan: there is nothing"
    assert list(refs) == list(again), f"{task.name}.plan: two calls differ"
    keys = [ref.key for ref in refs]
    assert len(set(keys)) == len(keys), f"{task.name}.plan: {len(keys) - len(set(keys))} keys are not unique"
    for ref in refs:
        stored = json.loads(json.dumps([ref.key, dict(ref.groups), ref.seed, dict(ref.source)]))
        assert Ref(*stored) == ref, f"{task.name}.plan: {ref.key} is not plain JSON"
        assert ref.groups, f"{task.name}.plan: {ref.key} belongs to no group, so no split can keep it together"
        name = task.shard(ref)
        assert name and not name.startswith("/") and ".." not in name, f"{task.name}.shard: {name!r} is no name"
    return refs


def _check_read(task: Task[Any], recipe: Recipe, refs: Sequence[Ref]) -> list[Sample]:  # Any: any room
    samples = []
    for ref in refs:
        try:
            sample = task.read(recipe, ref)
        except LeftOut as reason:
            assert str(reason), f"{task.name}.read: {ref.key} is left out without a reason"
            continue
        task.sample.check(sample.arrays, where=f"{task.name}.read: {ref.key}")
        assert (sample.key, dict(sample.groups)) == (ref.key, dict(ref.groups)), f"{ref.key}: is read as {sample.key}"
        json.dumps(dict(sample.meta))
        assert_same(sample.arrays, task.read(recipe, ref).arrays, f"{task.name}.read: two readings of {ref.key}")
        samples.append(sample)
    together = [one for one in task.read_many(recipe, refs) if isinstance(one, Sample)]
    keys = [sample.key for sample in samples]
    assert [one.key for one in together] == keys, f"{task.name}.read_many: other samples come alone and with others"
    for one, sample in zip(together, samples, strict=True):
        assert_same(one.arrays, sample.arrays, f"{task.name}.read_many: {one.key} alone and with others")
    return samples


def _check_items(task: Task[Any], recipe: Recipe, refs: Sequence[Ref], *, training: bool) -> None:  # Any: any room
    items = task.group(recipe, refs, training)
    grouped = {ref.key for item in items for ref in item}
    missing = {ref.key for ref in refs} - grouped
    assert not missing, f"{task.name}.group: {len(missing)} samples are in no item, e.g. {min(missing)}"
    if not training:
        assert sum(len(item) for item in items) == len(refs), f"{task.name}.group: validation sees a sample twice"
    for item in items[:2]:
        try:
            samples = [task.read(recipe, ref) for ref in item]
        except LeftOut:
            continue

        def joined(seed: int | None, some: Sequence[Sample] = samples) -> Arrays:
            return task.join(recipe, some, None if seed is None else np.random.default_rng(seed))

        seed = 0 if training else None
        where = f"{task.name}.join: {item[0].key}"
        task.item.check(joined(seed), where=where)
        assert_same(joined(seed), joined(seed), f"{where}: two calls")


def _check_apply(task: Task[Any], recipe: Recipe, refs: Sequence[Ref], items: Arrays) -> None:  # Any: any room
    from seisloom.bundle import as_predictor

    network = recipe.network(task.item)
    if recipe.model.is_closed_form:  # one that has not learnt gives nothing
        learn_at_once(network, as_batch(items))
    predictor = as_predictor(network, "cpu")
    records = list(task.records(recipe, refs))
    assert records, f"{task.name}.records: there is none behind {len(refs)} refs"
    product = task.apply(recipe, predictor, None, records)
    alone = task.apply(recipe, predictor, None, records[-1:])
    again = task.apply(recipe, predictor, None, records[-1:])
    assert bytes_of(alone) == bytes_of(again), f"{task.name}.apply: two calls differ"
    if hasattr(product, "tail"):
        same = bytes_of(product.tail(len(alone))[list(alone.columns)]) == bytes_of(alone)
        assert same, f"{task.name}.apply: the last record alone gives other rows than after the others"
    calibration = task.calibrate(recipe, [product], None)
    stored = json.loads(json.dumps(calibration.to_json(), allow_nan=False))
    back = task.load_calibration(stored)
    assert back.to_json() == calibration.to_json(), f"{task.name}: a calibration does not survive JSON"
