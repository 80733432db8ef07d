"""Records from their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.physics.surface_waves.draw import model_hash
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import phase_velocities
from seisloom.recipe import config_from
from seisloom.sample import Sample
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.make import make_record

QUICK = ("frequency.num_samples=28", "phase_velocity.num_samples=64", "simulation.nx=24", "simulation.dx=2")


def made(*changes: str, index: int = 0, seed: int = 1) -> Sample:
    return make_record(config_from(DispersionData, [*QUICK, *changes], where="data"), index, seed=seed)


def medium_of(sample: Sample) -> LayeredMedium:
    meta: dict[str, Any] = dict(sample.meta)
    return LayeredMedium([*meta["thickness_m"], 0.0], meta["vp_m_s"], meta["vs_m_s"], meta["density_kg_m3"])


def test_curves_are_those_of_the_medium_that_is_said() -> None:
    """The first generator's manifest named the medium before its last change."""
    sample = made(index=3)
    medium = medium_of(sample)
    c = phase_velocities(medium, sample.arrays["freq"], 4)
    np.testing.assert_allclose(sample.arrays["curves"], c, rtol=1e-6)
    assert sample.meta["model_hash"] == model_hash(medium) == sample.groups["model"]
    assert sample.meta["param_hash"].startswith(sample.key)


def test_nothing_is_invented_below_a_cut_off_or_clamped_to_the_border() -> None:
    found = [made("phase_velocity.max_m_s=300", index=k).arrays for k in range(4)]
    assert any(np.isnan(one["curves"]).any() for one in found)
    assert any((one["curves"] > 300).any() for one in found)
    for one in found:
        outside = ~((one["curves"] >= 60) & (one["curves"] <= 300))
        assert not one["in_window"][outside].any()


def test_a_record_depends_on_its_number_and_the_seed_alone() -> None:
    again = made(index=2)
    for name, array in made(index=2).arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    assert made(index=2).key == again.key
    assert (
        len({again.key, made(index=3).key, made(index=2, seed=2).key, made("simulation.noise=null", index=2).key}) == 4
    )


def test_a_clean_twin_shares_medium_and_array() -> None:
    noisy, clean = made(index=5), made("simulation.noise=null", index=5)
    assert noisy.groups == clean.groups
    np.testing.assert_array_equal(noisy.arrays["offsets"], clean.arrays["offsets"])
    np.testing.assert_array_equal(noisy.arrays["apparent"], clean.arrays["apparent"])
    assert np.abs(noisy.arrays["spectrum"] - clean.arrays["spectrum"]).max() > 0.01


@pytest.mark.parametrize("method", ["wavefield", "plane_waves"])
def test_the_spectrum_is_largest_on_the_mode_that_carries_most(method: str) -> None:
    near = []
    for index in range(10):
        arrays = made(f"simulation.method={method}", "simulation.noise=null", index=index).arrays
        usable = (arrays["energy_share"][0] > 0.75) & (arrays["nacd"][0] > 1.5) & ~arrays["aliased"].any(axis=0)
        usable &= arrays["in_window"][0] == 1
        step = arrays["phase_velocity"][1] - arrays["phase_velocity"][0]
        off = np.abs(arrays["curves"][0] - arrays["apparent"])
        near += (off < np.maximum(0.05 * arrays["apparent"], step))[usable].tolist()
    assert len(near) > 30
    assert np.mean(near) > 0.95


def test_what_no_medium_satisfies_is_said() -> None:
    with pytest.raises(DataError, match="fundamental mode out of the window"):
        made("phase_velocity.min_m_s=5000", "phase_velocity.max_m_s=6000")
