"""Noise as it is drawn: each number by itself, within what its prior says."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from seisloom.physics.surface_waves.acquisition import LinearArray
from seisloom.physics.surface_waves.noise_draw import GatherNoise, NoisePrior, draw_noise

LINE = LinearArray(np.arange(24) * 2.0, -6.0)
SILENT = NoisePrior(
    snr_db=None, waves_snr_db=None, n_surface=(0, 0), n_body=(0, 0), p_scatterer=0, dead=(0, 0),
    reversed_polarity=(0, 0), coupling=(0, 0), timing_s=(0, 0),
)  # fmt: skip


def _draw(**keys: object) -> GatherNoise:
    return draw_noise(NoisePrior.model_validate({**SILENT.model_dump(), **keys}), np.random.default_rng(11), LINE)


def test_two_channels_stay_alive_at_least() -> None:
    assert sum(_draw(dead=(1, 1)).live) == 2


def test_one_option_does_not_change_what_others_draw() -> None:
    one, other = _draw(), _draw(snr_db=(10, 20), dead=(0.1, 0.5), coupling=(0.1, 0.3))
    assert (one.key, one.slope, one.polarity, one.scatterer) == (
        other.key,
        other.slope,
        other.polarity,
        other.scatterer,
    )


def test_the_scatterer_is_on_the_far_side_of_the_shot() -> None:
    for source in (-10.0, 56.0):
        line = LinearArray(np.arange(24) * 2.0, source)
        for i in range(30):
            noise = draw_noise(NoisePrior(p_scatterer=1), np.random.default_rng(i), line)
            assert noise.scatterer is not None
            from_near = noise.scatterer.x_m if source < 0 else 46.0 - noise.scatterer.x_m
            assert 0.3 <= from_near / 46.0 <= 1.3


def test_a_range_that_falls_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"\[30, 10\]: write \[smallest, largest\]"):
        NoisePrior(snr_db=(30, 10))
