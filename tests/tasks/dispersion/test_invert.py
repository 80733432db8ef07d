"""Inversion of dispersion curves: kernels, chains, recovery of known layers, seeds, files and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.errors import DataError, OutputError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import phase_velocities
from seisloom.tasks.dispersion.field.curves_file import write_curves
from seisloom.tasks.dispersion.field.pick import CurvePicks
from seisloom.tasks.dispersion.invert.chains import r_hat, sample_chains
from seisloom.tasks.dispersion.invert.fit import best_points, ln_c_of, misfit, slopes
from seisloom.tasks.dispersion.invert.layering import Ground, layering_by_ratio
from seisloom.tasks.dispersion.invert.observed import BIN, observe
from seisloom.tasks.dispersion.invert.profile import invert_curves
from seisloom.tasks.dispersion.invert.summary import VsProfile
from seisloom.tasks.dispersion.invert.write import COLUMNS, write_profile

FREQUENCY_HZ = np.geomspace(4, 60, 60)
DRY = Ground(water_table_m="dry")
TWO = LayeredMedium([4.0, 0.0], [300.0, 700.0], [150.0, 350.0], [1700.0, 1900.0])


def curves_of(
    medium: LayeredMedium, *, n_modes: int = 1, error: float = 0.03, rng_seed: int | None = None
) -> CurvePicks:
    """Return curves of a medium with 90 % intervals, and with noise of that size where a seed is given."""
    c = phase_velocities(medium, FREQUENCY_HZ, n_modes)
    if rng_seed is not None:
        c = c * np.exp(error * np.random.default_rng(rng_seed).normal(size=c.shape))
    return CurvePicks(FREQUENCY_HZ, c, c * np.exp(-1.645 * error), c * np.exp(1.645 * error), np.ones_like(c))


@pytest.fixture(scope="module")
def profile() -> VsProfile:
    return invert_curves(
        curves_of(TWO, rng_seed=0), layerings=(2.0, 4.0), ground=DRY, n_steps=400, n_chains=2, threads=1
    )


def test_two_layers_are_recovered_within_the_interval(profile: VsProfile) -> None:
    middle = (profile.depth_top_m + profile.depth_bottom_m) / 2
    true = np.where(middle < 4, 150.0, 350.0)
    inside = (profile.vs_low_m_s <= true) & (true <= profile.vs_high_m_s)
    assert inside.mean() >= 0.85
    assert np.mean(np.abs(profile.vs_median_m_s / true - 1)) < 0.1


def test_vs30_is_near_its_interval(profile: VsProfile) -> None:
    low, median, high = profile.vs30_m_s
    assert low * 0.97 < TWO.vs30_m_s < high * 1.03  # so few steps know the ends of an interval to some per cent
    assert abs(median / TWO.vs30_m_s - 1) < 0.1


def test_the_profile_ends_at_half_the_longest_wavelength_and_explains_the_curves(profile: VsProfile) -> None:
    assert profile.depth_bottom_m[-1] == pytest.approx(profile.observed.wavelength_m.max() / 2)
    residual = np.log(profile.explained_m_s[1]) - profile.observed.ln_c
    assert np.sqrt(np.mean((residual / profile.observed.error) ** 2)) < 1.5
    assert len({one.n_layers for one in profile.layerings}) == 2


def test_a_seed_gives_the_same_profile_on_any_number_of_threads() -> None:
    curves = curves_of(TWO)
    options = {"layerings": (3.0, 4.0), "n_steps": 100, "n_chains": 2}
    first, second = (invert_curves(curves, seed=5, threads=n, **options) for n in (1, 2))  # type: ignore[arg-type]
    np.testing.assert_array_equal(first.vs_low_m_s, second.vs_low_m_s)
    other = invert_curves(curves, seed=6, **options)  # type: ignore[arg-type]
    assert not np.array_equal(first.vs_median_m_s, other.vs_median_m_s)


@pytest.mark.parametrize(
    "ground",
    [Ground(water_table_m="dry"), Ground(water_table_m=(3.0, 3.0)), Ground(density_kg_m3=1900.0, poisson=(0.3, 0.3))],
)
def test_slopes_are_those_of_differences(ground: Ground) -> None:
    seen = observe(curves_of(TWO, n_modes=2))
    layering = layering_by_ratio(3.0, (3.0, 80.0), (130.0, 330.0), ground)
    n = layering.n_interfaces
    point = layering.bounds.mean(axis=0)
    point[n : 2 * n + 1] = np.log(np.linspace(150, 400, n + 1))
    slope = slopes(layering, point, seen)
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = 1e-4
        by_difference = (ln_c_of(layering, point + step, seen) - ln_c_of(layering, point - step, seen)) / 2e-4
        # differences of second order, and phase velocities to 1e-8
        np.testing.assert_allclose(slope[:, i], by_difference, atol=5e-4)


def test_best_points_explain_curves_without_noise() -> None:
    seen = observe(curves_of(TWO))
    wave, c = seen.wavelength_m, np.exp(seen.ln_c)
    layering = layering_by_ratio(3.0, (wave.min(), wave.max()), (c.min(), c.max()), Ground())
    points = best_points(layering, seen, np.random.default_rng(0), n_tried=60, n_refined=3)
    assert misfit(layering, points[0], seen) < 0.5


def test_chains_find_mean_spread_and_both_maxima() -> None:
    """Two normal distributions in two dimensions, 8 standard deviations apart, one with twice the weight."""
    centres, scale = np.array([[-4.0, 0.0], [4.0, 0.0]]), np.ones(2)

    def ln_likelihood(point: np.ndarray) -> float:
        return float(np.logaddexp(*(np.log([2, 1]) - 0.5 * np.sum((point - centres) ** 2, axis=1))))

    def ln_prior(point: np.ndarray) -> float:
        return 0.0 if np.abs(point).max() < 20 else -np.inf

    chains = sample_chains(
        ln_prior, ln_likelihood, centres, scale, n_steps=3000, n_chains=3, rng=np.random.default_rng(1)
    )
    x = chains.points.reshape(-1, 2)
    assert np.mean(x[:, 0] < 0) == pytest.approx(2 / 3, abs=0.12)  # changes of side are few
    assert np.std(x[:, 1]) == pytest.approx(1.0, abs=0.1)
    assert np.std(x[x[:, 0] < 0, 0]) == pytest.approx(1.0, abs=0.12)
    assert r_hat(chains.points).max() < 1.1


def test_r_hat_tells_chains_apart() -> None:
    rng = np.random.default_rng(0)
    alike, apart = rng.normal(size=(400, 3, 1)), rng.normal(size=(400, 3, 1)) + 5 * np.arange(3)[:, None]
    assert r_hat(alike)[0] < 1.05
    assert r_hat(apart)[0] > 2
    assert r_hat(np.ones((40, 3, 1)))[0] <= 1


def test_layers_grow_by_the_ratio_and_end_at_half_the_longest_wavelength() -> None:
    layering = layering_by_ratio(2.0, (2.0, 60.0), (100.0, 300.0), Ground())
    edges = layering.edges_m
    np.testing.assert_allclose(edges[:2], [2 / 3, 1.0])
    np.testing.assert_allclose(np.diff(edges[1:-1])[1:] / np.diff(edges[1:-1])[:-1], 2.0)
    assert edges[-1] == 30.0
    low, high = layering.bounds
    assert layering.ln_prior((low + high) / 2) > -np.inf
    assert layering.ln_prior(high + 0.1) == -np.inf
    n_layers = [layering_by_ratio(r, (2.0, 60.0), (100.0, 300.0), Ground()).n_interfaces for r in (1.5, 2, 3, 4)]
    assert n_layers == sorted(n_layers, reverse=True)


def test_below_the_water_table_vp_is_that_of_wet_ground() -> None:
    layering = layering_by_ratio(3.0, (3.0, 80.0), (130.0, 330.0), Ground(water_table_m=(5.0, 5.0)))
    medium = layering.medium(layering.draw(np.random.default_rng(0)))
    wet = medium.depths_m > 5
    assert (medium.vp_m_s[wet] > 1500).all()
    assert medium.vp_m_s[0] < 1500


def test_a_bin_is_one_observation_with_the_error_of_its_interval() -> None:
    seen = observe(curves_of(TWO, error=0.04))
    assert len(seen.ln_c) <= np.log(60 / 4) / BIN + 2
    np.testing.assert_allclose(seen.error, 0.04, rtol=1e-3)
    np.testing.assert_allclose(np.exp(seen.ln_c), phase_velocities(TWO, seen.frequency_hz, 1)[0], rtol=0.01)
    nothing = np.full((1, len(FREQUENCY_HZ)), np.nan)
    bare = replace(curves_of(TWO), low_m_s=nothing, high_m_s=nothing)
    np.testing.assert_allclose(observe(bare, default_error=0.05).error, 0.05)


def test_gaps_and_modes_that_end_are_left_out() -> None:
    curves = curves_of(TWO, n_modes=3)
    curves.velocity_m_s[0, 20:30] = np.nan
    seen = observe(curves)
    assert np.isfinite(seen.ln_c).all()
    assert seen.n_modes == 3


def test_too_few_picks_and_bad_values_are_refused() -> None:
    curves = curves_of(TWO)
    nothing = np.full_like(curves.velocity_m_s, np.nan)
    with pytest.raises(DataError, match="no pick"):
        invert_curves(replace(curves, velocity_m_s=nothing))
    few = nothing.copy()
    few[0, :5] = 200.0
    with pytest.raises(DataError, match="4 or more"):
        invert_curves(replace(curves, velocity_m_s=few))
    for options, said in (
        ({"layerings": ()}, "no layerings"),
        ({"layerings": (1.0,)}, "ratio 1"),
        ({"n_steps": 5}, "n_steps"),
    ):
        with pytest.raises(DataError, match=said):
            invert_curves(curves, **options)  # type: ignore[arg-type]
    for wrong, said in (
        ({"poisson": (0.3, 0.5)}, "poisson"),
        ({"water_table_m": (-1.0, 2.0)}, "water"),
        ({"density_kg_m3": 2.0}, "density"),
    ):
        with pytest.raises(DataError, match=said):
            Ground(**wrong)  # type: ignore[arg-type]


def test_files_hold_the_profile(profile: VsProfile, tmp_path: Path) -> None:
    table, text = write_profile(profile, tmp_path / "vs.csv")
    rows = pd.read_csv(table)
    assert tuple(rows.columns) == COLUMNS
    np.testing.assert_allclose(rows["vs_median"], profile.vs_median_m_s, rtol=1e-5)
    said = json.loads(text.read_text())
    assert said["vs30_m_s"]["low"] < said["vs30_m_s"]["median"] < said["vs30_m_s"]["high"]
    assert len(said["layerings"]) == 2
    with pytest.raises(DataError, match=r"\.csv"):
        write_profile(profile, tmp_path / "vs.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_profile(profile, tmp_path / "file" / "vs.csv")


def test_the_command_writes_table_json_and_figure(tmp_path: Path) -> None:
    write_curves(curves_of(TWO), tmp_path / "curves.csv")
    words = ["invert", str(tmp_path / "curves.csv"), "--out", str(tmp_path / "vs.csv"), "--layerings", "3"]
    done = CliRunner().invoke(
        app, [*words, "--steps", "100", "--poisson", "0.33", "--figure", str(tmp_path / "vs.png")]
    )
    assert done.exit_code == 0, done.output
    assert "Vs30" in done.output
    for name in ("vs.csv", "vs.json", "vs.png"):
        assert (tmp_path / name).stat().st_size > 0
    for wrong in (["--poisson", "soft"], ["--first", "period"], ["--layerings", ""]):
        assert CliRunner().invoke(app, [*words, *wrong]).exit_code != 0
