"""Drawn media: what their priors promise, the same for the same index, and named by what they are."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.physics.surface_waves.draw import (
    Stage,
    broken_constraint,
    draw_medium,
    keyed_rng,
    model_hash,
)
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.priors import (
    SITE_CLASSES,
    Constraints,
    LowVelocityPrior,
    MediumPrior,
    MixturePrior,
    NormalPrior,
    SeedPrior,
    StiffCrustPrior,
    Vs30ClassPrior,
    WeightedPrior,
)

KINDS: list[MediumPrior] = [
    NormalPrior(),
    LowVelocityPrior(),
    StiffCrustPrior(),
    SeedPrior(),
    Vs30ClassPrior(),
    MixturePrior(parts=(WeightedPrior(weight=2, prior=NormalPrior()), WeightedPrior(prior=SeedPrior()))),
]
SAMPLES = st.integers(0, 10**6)
ROUNDED = 1e-6


def _media(prior: MediumPrior, n: int = 60) -> list[LayeredMedium]:
    return [draw_medium(prior, seed=7, index=i).medium for i in range(n)]


@pytest.mark.parametrize("prior", KINDS, ids=lambda prior: prior.name)
def test_a_medium_depends_on_seed_and_index_alone(prior: MediumPrior) -> None:
    forwards = {i: model_hash(draw_medium(prior, seed=3, index=i).medium) for i in range(12)}
    backwards = {i: model_hash(draw_medium(prior, seed=3, index=i).medium) for i in reversed(range(12))}
    assert forwards == backwards
    assert len(set(forwards.values())) == 12
    assert model_hash(draw_medium(prior, seed=4, index=0).medium) != forwards[0]


@pytest.mark.parametrize("prior", KINDS, ids=lambda prior: prior.name)
def test_drawn_values_are_those_that_are_hashed(prior: MediumPrior) -> None:
    for medium in _media(prior, 20):
        np.testing.assert_array_equal(medium.table, np.round(medium.table, 6))


@given(index=SAMPLES, low=st.floats(50, 400), ratio=st.floats(1, 5), n=st.integers(1, 12), most=st.floats(0.25, 0.45))
def test_normal_media_keep_to_their_ranges(index: int, low: float, ratio: float, n: int, most: float) -> None:
    prior = NormalPrior(
        n_layers=(n, n + 2),
        vs_m_s=(low, low * ratio),
        thickness_m=(0.7, 9.0),
        poisson=(0.2, most),
        half_space_contrast=(1.2, 1.5),
        density_kg_m3=(1600, 2100),
    )
    m = draw_medium(prior, seed=0, index=index).medium
    assert n <= len(m) <= n + 2
    assert np.all(np.diff(m.vs_m_s) >= -ROUNDED)
    assert np.all((m.vs_m_s[:-1] >= low - ROUNDED) & (m.vs_m_s[:-1] <= low * ratio + ROUNDED))
    assert np.all((m.thickness_m[:-1] >= 0.7 - ROUNDED) & (m.thickness_m[:-1] <= 9.0 + ROUNDED))
    assert np.all(np.diff(m.thickness_m[:-1]) >= 0)
    assert np.all((m.poisson_ratio > 0.2 - 1e-6) & (m.poisson_ratio < most + 1e-6))
    assert np.all((m.density_kg_m3 >= 1600) & (m.density_kg_m3 <= 2100))
    if len(m) > 1:
        assert 1.2 - 1e-6 <= m.vs_m_s[-1] / m.vs_m_s[-2] <= 1.5 + 1e-6


@given(index=SAMPLES, n=st.integers(3, 12), n_low=st.integers(1, 4))
def test_low_velocity_layers_are_slower_than_both_neighbours(index: int, n: int, n_low: int) -> None:
    prior = LowVelocityPrior(n_layers=(n, n), n_low=(n_low, n_low))
    vs = draw_medium(prior, seed=0, index=index).medium.vs_m_s
    low = (vs[1:-1] < vs[:-2]) & (vs[1:-1] < vs[2:])
    assert low.sum() == min(n_low, (n - 1) // 2)
    np.testing.assert_array_less(0.49, (vs[1:-1] / vs[:-2])[low])


def test_a_stiff_crust_is_stiffer_than_what_is_below_it_and_the_half_space_is_fastest() -> None:
    for m in _media(StiffCrustPrior(crust_contrast=(2, 3), crust_thickness_m=(0.3, 0.5))):
        assert 2 - 1e-6 <= m.vs_m_s[0] / m.vs_m_s[1] <= 3 + 1e-6
        assert np.all(np.diff(m.vs_m_s[1:]) > 0)
        assert 0.3 <= m.thickness_m[0] <= 0.5
        assert m.vs_m_s.argmax() == len(m) - 1


@pytest.mark.parametrize(("standard", "name"), [(s, c) for s, classes in SITE_CLASSES.items() for c in classes])
def test_vs30_is_in_the_class_that_was_asked_for(standard: str, name: str) -> None:
    prior = Vs30ClassPrior.model_validate({"standard": standard, "classes": [name], "water_table_m": [1, 10]})
    low, high = SITE_CLASSES[standard][name]
    assert all(low < m.vs30_m_s < high for m in _media(prior, 40))


def test_the_seeds_scheme_has_its_moments() -> None:
    media = _media(SeedPrior(), 3000)
    vs = np.array([m.vs_m_s for m in media])
    np.testing.assert_array_equal([m.density_kg_m3 for m in media], 1000.0)
    np.testing.assert_allclose([m.vp_m_s for m in media], 2 * vs, atol=2 * ROUNDED)
    assert vs.min() >= 80
    assert vs.max() <= 1320
    # sorted uniform draws have means (i + 1) / 6 of the range; jitter and fluctuation have mean 1, clipping moves the
    # outermost by a little; the error of a mean of 3000 is below 5 m/s
    np.testing.assert_allclose(vs.mean(0), 100 + 1000 * np.arange(1, 6) / 6, atol=20)
    # the origin's committed manifest has 27 % of media with an inversion before the fluctuation; it only adds some
    without = np.array([m.vs_m_s for m in _media(SeedPrior(fluctuation_percentage=0), 3000)])
    assert 0.2 < np.any(np.diff(without) < 0, axis=1).mean() < 0.33
    assert np.any(np.diff(vs) < 0, axis=1).mean() > 0.4
    assert without.min() >= 100
    assert without.max() <= 1100


def test_below_the_water_table_pores_are_full() -> None:
    dry = draw_medium(NormalPrior(), seed=1, index=5).medium
    wet = draw_medium(NormalPrior(water_table_m=(4.0, 4.0)), seed=1, index=5).medium
    assert np.abs(wet.depths_m - 4.0).min() < 10 * ROUNDED  # thicknesses are rounded one by one
    assert len(wet) == len(dry) + 1
    below = wet.depths_m > 4.0 - 10 * ROUNDED
    assert np.all(wet.vp_m_s[below] >= 1500)
    soft = below & (wet.vs_m_s < 250)
    assert np.all((wet.poisson_ratio[soft] > 0.485) & (wet.poisson_ratio[soft] < 0.5))
    at = [int(np.searchsorted(dry.depths_m, z + 10 * ROUNDED, side="right")) - 1 for z in wet.depths_m]
    np.testing.assert_array_equal(wet.vs_m_s, dry.vs_m_s[at])
    np.testing.assert_array_equal(wet.vp_m_s[~below], dry.vp_m_s[at][~below])
    # of water with a frame: at least its bulk modulus, whatever vs
    assert np.all(wet.vp_m_s**2 - 4 / 3 * wet.vs_m_s**2 >= (1500**2 - 1) * below)


def test_gardner_density_is_that_of_vp_and_a_constant_is_constant() -> None:
    for m in _media(NormalPrior(), 10):
        np.testing.assert_allclose(m.density_kg_m3, np.maximum(310 * m.vp_m_s**0.25, 1500), atol=1e-5)
    assert set(draw_medium(NormalPrior(density_kg_m3=1800), seed=0, index=0).medium.density_kg_m3) == {1800.0}


def test_what_is_drawn_later_does_not_change_what_was_drawn_before() -> None:
    one = draw_medium(NormalPrior(), seed=1, index=9).medium
    other = draw_medium(NormalPrior(density_kg_m3=(1500, 2500), poisson=(0.3, 0.4)), seed=1, index=9).medium
    np.testing.assert_array_equal(one.vs_m_s, other.vs_m_s)
    np.testing.assert_array_equal(one.thickness_m, other.thickness_m)


def test_rejections_are_counted_and_the_medium_keeps_the_constraints() -> None:
    wanted = Constraints(vs30_m_s=(250, 350), max_depth_m=25, max_contrast=1.9, poisson=(0.2, 0.45))
    drawn = [draw_medium(NormalPrior(constraints=wanted), seed=2, index=i, max_attempts=5000) for i in range(20)]
    for one in drawn:
        assert 250 <= one.medium.vs30_m_s <= 350
        assert one.medium.depths_m[-1] <= 25
        assert (one.medium.vs_m_s[1:] / one.medium.vs_m_s[:-1]).max() <= 1.9
        assert sum(one.rejected.values()) == one.attempt
    assert set().union(*(one.rejected for one in drawn)) == {"vs30_m_s", "max_depth_m", "max_contrast"}


def test_callers_can_reject_too() -> None:
    def too_few(medium: LayeredMedium) -> str | None:
        return None if len(medium) >= 9 else "layers"

    drawn = draw_medium(NormalPrior(), seed=0, index=0, reject=too_few)
    assert len(drawn.medium) >= 9
    assert drawn.rejected == ({"layers": drawn.attempt} if drawn.attempt else {})


def test_each_constraint_has_its_name() -> None:
    medium = LayeredMedium([5.0, 5.0, 0.0], [800.0, 500.0, 700.0], [400.0, 200.0, 350.0], [1800.0] * 3)
    loose = Constraints(half_space_fastest=False)
    assert broken_constraint(medium, loose) is None
    cases: list[tuple[str, object]] = [
        ("vs30_m_s", (400, 500)), ("poisson", (0.34, 0.4)), ("max_depth_m", 9.0), ("max_contrast", 1.9),
        ("half_space_fastest", True),
    ]  # fmt: skip
    for name, value in cases:
        assert broken_constraint(medium, Constraints.model_validate({"half_space_fastest": False, name: value})) == name


def test_a_prior_that_nothing_fits_says_what_was_rejected() -> None:
    impossible = NormalPrior(constraints=Constraints(vs30_m_s=(2000, 3000)))
    with pytest.raises(DataError, match=r"medium 4: none of 7 .* 'normal' fits \(vs30_m_s 7\)\. Loosen"):
        draw_medium(impossible, seed=0, index=4, max_attempts=7)
    with pytest.raises(DataError, match="max_attempts is 0"):
        draw_medium(impossible, seed=0, index=4, max_attempts=0)


def test_a_part_of_a_mixture_is_drawn_as_often_as_its_weight_says_whatever_is_rejected() -> None:
    picky = StiffCrustPrior(constraints=Constraints(max_contrast=1.8))
    mixture = MixturePrior(parts=(WeightedPrior(weight=1, prior=NormalPrior()), WeightedPrior(weight=3, prior=picky)))
    drawn = [draw_medium(mixture, seed=0, index=i, max_attempts=2000) for i in range(400)]
    assert sum(one.attempt for one in drawn) > 100
    share = np.mean([one.prior == "stiff_crust" for one in drawn])
    assert share == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 400))


def test_stages_and_attempts_have_random_numbers_of_their_own() -> None:
    firsts = {keyed_rng(0, 1, stage, attempt=k).random() for stage in Stage for k in range(3)}
    assert len(firsts) == 3 * len(Stage)
    with pytest.raises(DataError, match="seed 0, index -1"):
        keyed_rng(0, -1, Stage.NOISE)


@pytest.mark.parametrize("prior", KINDS, ids=lambda prior: prior.name)
def test_the_hash_ignores_float_noise_and_sees_every_real_change(prior: MediumPrior) -> None:
    rng = np.random.default_rng(0)
    for medium in _media(prior, 15):
        name = model_hash(medium)
        assert len(name) == 64
        columns = {"thickness_m", "vp_m_s", "vs_m_s", "density_kg_m3"}
        noisy = {c: getattr(medium, c) * (1 + 1e-12 * rng.uniform(-1, 1, len(medium))) for c in columns}
        assert model_hash(LayeredMedium(**noisy)) == name
        for column in columns:
            changed = getattr(medium, column).copy()
            changed[0] += 1e-6
            assert model_hash(replace(medium, **{column: changed})) != name


def test_the_hash_is_that_of_the_jittered_values_and_not_of_the_half_spaces_thickness() -> None:
    jittered = draw_medium(SeedPrior(), seed=0, index=0).medium
    calm = draw_medium(SeedPrior(fluctuation_percentage=0), seed=0, index=0).medium
    assert model_hash(jittered) != model_hash(calm)
    thicker = jittered.thickness_m.copy()
    thicker[-1] = 50.0
    assert model_hash(replace(jittered, thickness_m=thicker)) == model_hash(jittered)


def test_the_hash_does_not_change_between_versions() -> None:
    medium = LayeredMedium([5.0, 0.0], [400.0, 800.0], [200.0, 400.0], [1800.0, 2000.0])
    canonical = (
        '{"density":[1800000000,2000000000],"thickness":[5000000],'
        '"vp":[400000000,800000000],"vs":[200000000,400000000]}'
    )
    assert model_hash(medium) == hashlib.sha256(canonical.encode()).hexdigest()
