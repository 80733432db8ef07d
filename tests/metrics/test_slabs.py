"""The worst slab: the run against brute force, the coverage where it is known to fail and where it is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.metrics.slabs import least_covered_run, worst_slab_coverage


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_the_least_covered_run_is_that_of_brute_force(inside: list[bool], data: st.DataObject) -> None:
    values = np.array(inside)
    least = data.draw(st.integers(1, len(inside)))
    start, stop = least_covered_run(values, least)
    runs = [(a, b) for a in range(len(inside)) for b in range(a + least, len(inside) + 1)]
    assert stop - start >= least
    assert values[start:stop].mean() == pytest.approx(min(values[a:b].mean() for a, b in runs))


def test_a_corner_that_is_not_covered_is_found() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 2))
    bad = features.sum(axis=1) > 1.8  # no single feature shows it: about a tenth of the picks
    inside = rng.random(4000) < np.where(bad, 0.3, 0.95)
    found = worst_slab_coverage(inside, features, np.arange(4000) // 20, rng=rng)
    assert found["coverage"] < 0.45
    assert found["n"] > 150


def test_where_coverage_is_the_same_everywhere_the_worst_slab_is_near_it() -> None:
    rng = np.random.default_rng(1)
    features = rng.lognormal(size=(6000, 3))
    found = worst_slab_coverage(rng.random(6000) < 0.9, features, np.arange(6000) // 20, rng=rng)
    # Four standard errors of a share of 0.9 in a slab
    assert abs(found["coverage"] - 0.9) < 4 * np.sqrt(0.09 / found["n"])


@pytest.mark.parametrize(("n", "n_groups", "n_features"), [(100, 10, 2), (2000, 1, 2), (2000, 10, 0)])
def test_too_few_picks_or_shots_have_no_worst_slab(n: int, n_groups: int, n_features: int) -> None:
    rng = np.random.default_rng(2)
    found = worst_slab_coverage(np.ones(n, bool), rng.normal(size=(n, n_features)), np.arange(n) % n_groups, rng=rng)
    assert found == {"n": 0}
