"""Synthetic shots: exact onsets, the same from the same seed, and as varied as promised."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from pydantic import ValidationError

from seisloom.physics.survey import Shot, SurveyConfig, line_of, synthesise_shot
from seisloom.physics.survey_medium import first_arrivals
from seisloom.recipe import config_from

KINDS: tuple[Literal["land", "obs"], ...] = ("land", "obs")


def shots(config: SurveyConfig, n_shots: int = 3) -> list[tuple[int, Shot]]:
    return [
        (g, synthesise_shot(config, g, s))
        for g in range(config.n_geometries)
        for s in range(min(n_shots, config.n_shots))
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_noise_free_trace_is_zero_before_its_onset_and_not_after(kind: Literal["land", "obs"]) -> None:
    config = SurveyConfig(kind=kind, noise=0, n_geometries=12, n_stations=10)
    n_onsets = 0
    for geometry, shot in shots(config):
        line = line_of(config, geometry)
        time_s = np.arange(line.n_time) / line.fs_hz + line.delay_s
        for trace, onset_s in zip(shot.traces, shot.onset_s, strict=True):
            if np.isnan(onset_s):
                continue
            after = np.searchsorted(time_s, onset_s, side="right")
            assert not trace[:after].any()
            # the very first sample can be closer to the onset than float32 resolves beside the amplitude
            assert np.count_nonzero(trace[after : after + 5]) >= 4
            n_onsets += 1
    assert n_onsets > 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_shot_alone_is_the_shot_of_the_whole(kind: Literal["land", "obs"]) -> None:
    config = SurveyConfig(kind=kind, n_geometries=3, n_stations=6)
    whole = shots(config)
    alone = synthesise_shot(config, 2, 1)
    same = whole[2 * 3 + 1][1]
    for name in Shot.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(alone, name), getattr(same, name))


def test_seeds_geometries_and_shots_differ() -> None:
    config = SurveyConfig(n_stations=6)
    one = synthesise_shot(config, 0, 1).traces
    for other in (
        synthesise_shot(config, 0, 2),
        synthesise_shot(config, 1, 1),
        synthesise_shot(config.model_copy(update={"seed": 1}), 0, 1),
    ):
        assert one.shape != other.traces.shape or not np.array_equal(one, other.traces)


@pytest.mark.parametrize("kind", KINDS)
def test_traces_are_finite_and_of_all_kinds(kind: Literal["land", "obs"]) -> None:
    config = SurveyConfig(
        kind=kind, n_geometries=30, n_stations=12, share_dead=0.1, share_reversed=0.2, share_missing=0.2,
        share_no_arrival=0.1,
    )  # fmt: skip
    made = [shot for _, shot in shots(config)]
    assert all(np.isfinite(shot.traces).all() and shot.traces.dtype == np.float32 for shot in made)
    status = np.concatenate([shot.status for shot in made])
    assert set(status) == {"picked", "unpicked", "no_arrival"}
    recorded = np.concatenate([shot.recorded for shot in made])
    assert 0.1 < 1 - recorded.mean() < 0.3
    snr = np.concatenate([shot.snr_db for shot in made])
    assert np.nanpercentile(snr, 2) < 0  # some cannot be picked
    assert np.nanpercentile(snr, 98) > 40  # some cannot be missed
    assert {-1, 1} == set(np.concatenate([shot.polarity for shot in made]).tolist())


def test_status_and_times_agree() -> None:
    for _, shot in shots(SurveyConfig(n_geometries=10)):
        assert np.array_equal(np.isfinite(shot.pick_time_s), shot.status == "picked")
        assert np.array_equal(np.isfinite(shot.pick_uncertainty_s), shot.status == "picked")
        assert np.array_equal(np.isnan(shot.onset_s), shot.status == "no_arrival")
        assert np.array_equal(shot.branch >= 0, shot.status != "no_arrival")


def test_pick_errors_are_as_large_as_their_uncertainty_says() -> None:
    made = [shot for _, shot in shots(SurveyConfig(n_geometries=30))]
    z = np.concatenate([(s.pick_time_s - s.onset_s) / s.pick_uncertainty_s for s in made])
    z = z[np.isfinite(z)]
    # cut at 3 and at the start of the record; 3000 draws and more
    assert 0.93 < z.std() < 1.03


def test_without_an_error_picks_are_the_onsets() -> None:
    for _, shot in shots(SurveyConfig(n_geometries=3, pick_error_s=0)):
        picked = shot.status == "picked"
        np.testing.assert_array_equal(shot.pick_time_s[picked], shot.onset_s[picked])


def test_first_arrivals_are_reciprocal_but_for_the_statics_of_the_ends() -> None:
    """Without statics the time from A to B is that from B to A, however rough the relief."""
    from dataclasses import replace

    line = line_of(SurveyConfig(n_stations=5), 3)
    x = np.array([0.0, 40.0, 90.0, 120.0, 200.0])
    bare = replace(line, station_x_m=x, shot_x_m=x, shot_y_m=np.zeros(5), station_static_s=np.zeros(5), peak_hz=1e12)
    times = np.stack([first_arrivals(bare, s, np.random.default_rng(0)).onset_s for s in range(5)])
    np.testing.assert_allclose(times, times.T, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"fs_hz": (100.0,)}, "peak_hz"),
        ({"fs_hz": (3000.0,)}, "microseconds"),
        ({"station_spacing_m": (3.0, 1.0)}, "station_spacing_m"),
        ({"snr_db": (10.0, 0.0)}, "snr_db"),
        ({"n_stations": 0}, "n_stations"),
        ({"stations": 5}, "stations"),
        ({"share_dead": 1.5}, "share_dead"),
    ],
)
def test_a_config_that_cannot_be_is_refused(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        SurveyConfig.model_validate(wrong)


def test_one_number_is_a_list_of_one() -> None:
    config = config_from(SurveyConfig, ["fs_hz=2000", "delay_s=-0.02"], where="survey")
    assert (config.fs_hz, config.delay_s) == ((2000.0,), (-0.02,))


def test_the_kind_sets_defaults_that_a_user_can_override() -> None:
    assert SurveyConfig(kind="obs").fs_hz == (100.0, 125.0, 200.0)
    assert SurveyConfig(kind="obs", n_stations=3).n_stations == 3
    config = SurveyConfig(kind="obs")
    assert SurveyConfig.model_validate(config.model_dump()) == config
    assert SurveyConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(("n_stations", "n_shots"), [(1, 1), (2, 1), (1, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_surveys_work(kind: Literal["land", "obs"], n_stations: int, n_shots: int) -> None:
    shot = synthesise_shot(SurveyConfig(kind=kind, n_stations=n_stations, n_shots=n_shots), 0, n_shots - 1)
    assert shot.traces.shape[0] == n_stations
    assert np.isfinite(shot.traces).all()
