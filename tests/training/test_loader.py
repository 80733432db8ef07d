"""The loader: exact epochs in a keyed order, the same for any number of workers, shared evenly by ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.augment.batch import Batch
from seisloom.errors import DataError, LeftOut, SplitError
from seisloom.io.shards import Shards
from seisloom.recipe import Recipe
from seisloom.run.write import write_shards
from seisloom.sample import Ref, Sample
from seisloom.tasks.picking.task import PICKING
from seisloom.training import loader as loader_module
from seisloom.training.loader import KeyedBatches, LiveSource, loader

Tiny = Callable[..., Recipe]


def items_of(sizes: Sequence[int]) -> list[list[Ref]]:
    return [[Ref(f"i{k}/{j}", {}) for j in range(size)] for k, size in enumerate(sizes)]


def numbers(batches: Iterable[list[tuple[int, int]]]) -> list[list[int]]:
    return [[number for _, number in batch] for batch in batches]


SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=40)


@given(sizes=SIZES, batch_size=st.integers(1, 7), epoch=st.integers(0, 3), shuffle=st.booleans())
@settings(deadline=None)
def test_an_epoch_holds_every_item_once_and_no_batch_mixes_sizes(
    sizes: list[int], batch_size: int, epoch: int, shuffle: bool
) -> None:
    sampler = KeyedBatches(items_of(sizes), batch_size=batch_size, seed=0, shuffle=shuffle)
    sampler.set_epoch(epoch)
    batches = numbers(sampler)
    assert sorted(number for batch in batches for number in batch) == list(range(len(sizes)))
    assert len(batches) == len(sampler)
    for batch in batches:
        assert len(batch) <= batch_size
        assert len({sizes[number] for number in batch}) == 1


LINES = st.lists(st.sampled_from(["A", "B", "C"]), min_size=3, max_size=30)


@given(lines=LINES, batch_size=st.integers(1, 5), passes=st.integers(1, 4), epochs=st.integers(1, 3))
@settings(deadline=None)
def test_shares_part_the_batches_and_go_evenly_through_the_items_of_a_line(
    lines: list[str], batch_size: int, passes: int, epochs: int
) -> None:
    items = [[Ref(f"{line}/{k}", {"geometry": line})] for k, line in enumerate(lines)]
    shares = {"A": 3.0, "": 1.0}
    sampler = KeyedBatches(items, batch_size=batch_size, seed=0, shuffle=True, passes=passes, shares=shares)
    drawn: list[list[tuple[int, int]]] = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        drawn += batches
    of_a = [{lines[number] == "A" for _, number in batch} for batch in drawn]
    assert all(len(one) == 1 for one in of_a)  # no batch mixes kinds
    n_a = sum(one == {True} for one in of_a)
    if 0 < n_a < len(of_a):
        assert abs(n_a - 0.75 * len(of_a)) <= epochs
    # No item comes a second time before its whole kind has come, and every place is drawn once
    places = [place for batch in drawn for place in batch]
    assert len(set(places)) == len(places)
    for kind in ({"A"}, {"B", "C"}):
        counts = Counter({k: 0 for k, line in enumerate(lines) if line in kind})
        counts.update(number for _, number in places if lines[number] in kind)
        if counts:
            assert max(counts.values()) - min(counts.values()) <= 1


def test_a_group_that_no_share_names_is_an_error() -> None:
    items = [[Ref("A/0", {"geometry": "A"})], [Ref("B/0", {"geometry": "B"})]]
    with pytest.raises(SplitError, match=r"train\.shares: A leave out B/0.*the key '' for all others"):
        KeyedBatches(items, batch_size=1, seed=0, shuffle=True, shares={"A": 1.0})


def test_the_order_is_keyed_by_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        sampler = KeyedBatches(items_of([1] * 30), batch_size=4, seed=seed, shuffle=True)
        sampler.set_epoch(epoch)
        return numbers(sampler)

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
    fixed = KeyedBatches(items_of([1] * 5), batch_size=2, seed=0, shuffle=False)
    assert numbers(fixed) == [[0, 1], [2, 3], [4]]


@given(sizes=SIZES, batch_size=st.integers(1, 4), n_ranks=st.integers(1, 8))
@settings(deadline=None)
def test_ranks_take_as_many_steps_and_leave_nothing_out(sizes: list[int], batch_size: int, n_ranks: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sampler = KeyedBatches(items_of(sizes), batch_size=batch_size, seed=0, shuffle=True)
        shares = []
        for rank in range(n_ranks):
            patch.setattr(loader_module, "_world", lambda rank=rank: (rank, n_ranks))
            shares.append(numbers(sampler))
            assert len(shares[-1]) == len(sampler)
    assert {number for share in shares for batch in share for number in batch} == set(range(len(sizes)))
    counts = Counter(tuple(batch) for share in shares for batch in share)
    n_extra = sum(counts.values()) - len(counts)
    assert n_extra < n_ranks


def epoch_of(recipe: Recipe, epoch: int, *, training: bool = True) -> list[Batch]:
    source = LiveSource(PICKING, recipe)
    batches = loader(PICKING, recipe, source, source.refs, training=training)
    batches.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return list(batches)


def same(a: Sequence[Batch], b: Sequence[Batch]) -> bool:
    return [one.keys for one in a] == [one.keys for one in b] and all(
        torch.equal(one.arrays[name].nan_to_num(-9), two.arrays[name].nan_to_num(-9))
        for one, two in zip(a, b, strict=True)
        for name in one.arrays
    )


def test_batches_are_the_same_for_no_worker_and_for_two(tiny: Tiny) -> None:
    for epoch in (0, 1):
        assert same(epoch_of(tiny(), epoch), epoch_of(tiny("num_workers=2"), epoch))


def test_training_crops_move_with_the_epoch_and_validation_stays(tiny: Tiny) -> None:
    recipe = tiny("data.crop_s=0.04")
    assert not same(epoch_of(recipe, 0), epoch_of(recipe, 1))
    places = [
        {
            key: t0
            for batch in epoch_of(recipe, e)
            for key, t0 in zip(batch.keys, batch.arrays["t0_s"][:, 0].tolist(), strict=True)
        }
        for e in (0, 1)
    ]
    assert any(places[0][key] != places[1][key] for key in places[0])
    first, second = (epoch_of(recipe, e, training=False) for e in (0, 1))
    assert same(first, second)


def test_the_crop_of_an_item_does_not_depend_on_the_batch_size(tiny: Tiny) -> None:
    def crops(batch_size: int) -> dict[str, bytes]:
        batches = epoch_of(tiny("data.crop_s=0.04", f"batch_size={batch_size}"), 0)
        return {key: batch.arrays["x"][k].numpy().tobytes() for batch in batches for k, key in enumerate(batch.keys)}

    assert crops(2) == crops(5)


def test_batch_size_changes_the_batches(tiny: Tiny) -> None:
    assert {len(batch) for batch in epoch_of(tiny("batch_size=3"), 0)} <= {1, 2, 3}
    assert len(epoch_of(tiny("batch_size=3"), 0)) > len(epoch_of(tiny("batch_size=8"), 0))


def test_shards_and_the_files_themselves_give_the_same_batches(tiny: Tiny, tmp_path) -> None:  # type: ignore[no-untyped-def]
    recipe = tiny()
    write_shards(recipe, tmp_path)
    live, stored = LiveSource(PICKING, recipe), Shards(tmp_path)
    assert sorted(ref.key for ref in live.refs) == sorted(ref.key for ref in stored.refs)
    both = [
        list(loader(PICKING, recipe, one, sorted(one.refs, key=lambda ref: ref.key), training=True))
        for one in (live, stored)
    ]
    assert same(*both)


class WithHoles:
    """A source in which some samples do not qualify."""

    def __init__(self, source: LiveSource, holes: set[str]) -> None:
        self.source, self.holes, self.refs = source, holes, source.refs

    def read_many(self, refs: Sequence[Ref]) -> Iterable[Sample | LeftOut]:
        for ref, found in zip(refs, self.source.read_many(refs), strict=True):
            yield LeftOut("a hole") if ref.key in self.holes else found


def test_an_item_with_a_hole_is_replaced_by_a_whole_one_of_its_size(tiny: Tiny) -> None:
    recipe = tiny("data.gather=[none]")
    live = LiveSource(PICKING, recipe)
    holes = {ref.key for ref in live.refs[:3]}
    batches = list(loader(PICKING, recipe, WithHoles(live, holes), live.refs, training=False))
    assert sum(len(batch) for batch in batches) == len(live.refs)
    whole = {
        row.tobytes()
        for batch in loader(PICKING, recipe, live, live.refs[3:], training=False)
        for row in batch.arrays["x"].numpy()
    }
    assert all(row.tobytes() in whole for batch in batches for row in batch.arrays["x"].numpy())


def test_nothing_that_qualifies_is_an_error_with_the_reason(tiny: Tiny) -> None:
    recipe = tiny()
    live = LiveSource(PICKING, recipe)
    empty = WithHoles(live, {ref.key for ref in live.refs})
    with pytest.raises(DataError, match="qualifies; the last reason: a hole"):
        next(iter(loader(PICKING, recipe, empty, live.refs, training=True)))


def test_an_empty_part_is_refused(tiny: Tiny) -> None:
    recipe = tiny()
    for training, part in ((True, "training"), (False, "validation")):
        with pytest.raises(SplitError, match=f"the {part} part has no samples"):
            loader(PICKING, recipe, LiveSource(PICKING, recipe), [], training=training)


def test_every_batch_fits_the_fields_that_were_promised(tiny: Tiny) -> None:
    for batch in epoch_of(tiny(), 0):
        for k in range(len(batch)):
            PICKING.item.check({name: np.asarray(one[k]) for name, one in batch.arrays.items()}, where="batch")
