"""Who computes what: against brute force over all tiles and owners, and the order in which owners are started."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import OutputError
from seisloom.inference.lattice import Index, lattice
from seisloom.inference.owners import Owners, Queue, Step, owner_size


def axes_of(n_axes: int, longest: int) -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Draw (samples, patch, owner) for each axis."""
    one = st.tuples(st.integers(1, longest), st.integers(1, longest), st.integers(1, longest))
    return st.lists(one, min_size=n_axes, max_size=n_axes)


PARTED = st.one_of(axes_of(1, 24), axes_of(2, 8), axes_of(3, 4))


def parted(axes: list[tuple[int, int, int]], overlap: float) -> Owners:
    shape, patch, size = zip(*axes, strict=True)
    return Owners(lattice(shape, patch, overlap=overlap), size)


@settings(max_examples=60)
@given(axes=PARTED, overlap=st.floats(0, 0.8))
def test_owners_know_their_tiles_and_neighbours_as_brute_force_does(
    axes: list[tuple[int, int, int]], overlap: float
) -> None:
    owners = parted(axes, overlap)
    touched: dict[Index, list[Index]] = {owner: [] for owner in owners}
    filled = np.zeros(owners.lattice.shape, dtype=int)
    for owner in owners:
        filled[owners.box(owner)] += 1
        for tile in owners.lattice.tiles():
            in_tile, in_owner = owners.overlap(tile, owner)
            if all(side.start < side.stop for side in in_tile):
                touched[owner].append(tile)
                assert [s.stop - s.start for s in in_tile] == [s.stop - s.start for s in in_owner]
    assert (filled == 1).all()
    assert len(touched) == len(owners)
    for owner, tiles in touched.items():
        assert list(owners.tiles(owner)) == tiles
        homes = [owners.home(tile) for tile in tiles]
        assert owners.sources(owner) == {home: homes.count(home) for home in set(homes)}
        for source in set(homes):
            assert list(owners.shared(source, owner)) == [t for t in tiles if owners.home(t) == source]
            assert source == owner or owner in owners.wanted_by(source)
    for source in owners:
        wanted = {o for o, tiles in touched.items() if o != source and any(owners.home(t) == source for t in tiles)}
        assert owners.wanted_by(source) == wanted


@settings(max_examples=60)
@given(axes=PARTED, overlap=st.floats(0, 0.8), workers=st.integers(1, 4), data=st.data())
def test_each_tile_runs_once_and_each_owner_is_summed_after_its_tiles_were_run(
    axes: list[tuple[int, int, int]], overlap: float, workers: int, data: st.DataObject
) -> None:
    owners = parted(axes, overlap)
    queue = Queue(owners, workers=workers)
    running: list[tuple[Index, Step]] = []
    run: set[Index] = set()
    written: set[Index] = set()
    started: list[Index] = []
    while queue or running:
        while len(running) < workers and (now := queue.take()) is not None:
            owner, step = now
            running.append(now)
            if step != "home":
                assert all(source in run for source in owners.sources(owner) if source != owner)
            if step != "sum":
                started.append(owner)
            if workers == 1:
                assert step == "whole"
        # No worker waits while there is an owner whose tiles could be run
        assert len(running) == workers or len(started) == len(owners)
        owner, step = running.pop(data.draw(st.integers(0, len(running) - 1)))
        queue.finish(owner, step)
        run.add(owner)
        written |= {owner} if step != "home" else set()
    assert sorted(started) == list(owners)
    assert written == set(owners)


def test_few_owners_of_a_survey_wait_to_be_summed_on_sixteen_workers() -> None:
    owners = Owners(lattice((3200, 3200, 1500), (128,) * 3, overlap=0.25), (256,) * 3)
    queue = Queue(owners, workers=16)
    running: list[tuple[Index, Step]] = []
    steps: list[Step] = []
    while queue or running:
        while len(running) < 16 and (now := queue.take()) is not None:
            running.append(now)
            steps.append(now[1])
        queue.finish(*running.pop(0))
    assert steps.count("home") == steps.count("sum") < 0.1 * len(owners)


@given(
    axes=st.lists(st.tuples(st.integers(1, 400), st.integers(1, 64), st.integers(1, 64)), min_size=1, max_size=3),
    memory_mb=st.floats(10, 200), n_outputs=st.integers(1, 5), workers=st.integers(1, 8),
)  # fmt: skip
def test_owners_fit_the_memory_and_the_grain_of_the_output(
    axes: list[tuple[int, int, int]], memory_mb: float, n_outputs: int, workers: int
) -> None:
    shape, grain, patch = zip(*axes, strict=True)
    try:
        size = owner_size(shape, grain, patch, n_outputs=n_outputs, memory_mb=memory_mb, workers=workers)
    except OutputError:
        assert prod(min(g, n) for g, n in zip(grain, shape, strict=True)) * 12 * n_outputs > memory_mb * 1e6
        return
    assert prod(size) * 12 * n_outputs <= memory_mb * 1e6
    for n, g, one in zip(shape, grain, size, strict=True):
        assert one == n or one % g == 0


def test_a_volume_that_fits_is_parted_for_all_workers_but_not_much_finer_than_patches() -> None:
    parts = [(512, 512, 512), (64, 64, 64), (64, 64, 64)]
    assert owner_size(*parts, n_outputs=1, memory_mb=1e4, workers=2) == (256, 256, 256)
    assert owner_size((100, 100), (10, 10), (64, 64), n_outputs=1, memory_mb=1, workers=1) == (100, 100)
    assert owner_size((100, 100), (10, 10), (64, 64), n_outputs=1, memory_mb=1, workers=4) == (60, 60)


def test_a_volume_of_few_tiles_has_owners_for_both_workers() -> None:
    size = owner_size((256,) * 3, (64,) * 3, (128,) * 3, n_outputs=1, memory_mb=1e3, workers=2)
    owners = Owners(lattice((256,) * 3, (128,) * 3, overlap=0.25), size)
    at_home = sorted(sum(1 for _ in owners.shared(owner, owner)) for owner in owners)
    assert at_home == [1, 2, 2, 2, 4, 4, 4, 8]


def test_a_grain_that_does_not_fit_is_refused_with_the_memory_that_it_takes() -> None:
    with pytest.raises(OutputError, match=r"2 variables takes 3221 MB a worker .* there are 256 MB"):
        owner_size((1024,) * 3, (512,) * 3, (64,) * 3, n_outputs=2, memory_mb=256, workers=1)
