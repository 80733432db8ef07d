"""A layered medium: what it refuses, and what it says of itself."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium

GOOD = {
    "thickness_m": [10.0, 40.0, 0.0],
    "vp_m_s": [300.0, 800.0, 2000.0],
    "vs_m_s": [150.0, 400.0, 1000.0],
    "density_kg_m3": [1700.0, 1900.0, 2100.0],
}


@pytest.mark.parametrize("name", [*GOOD])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_value_that_is_not_positive_is_refused_with_its_layer(name: str, value: float) -> None:
    values = [GOOD[name][0], value, GOOD[name][2]]
    with pytest.raises(DataError, match=rf"{name} of layer 1 is {value:g}; it must be positive"):
        LayeredMedium(**{**GOOD, name: values})


def test_the_thickness_of_the_half_space_is_not_looked_at() -> None:
    assert len(LayeredMedium(**{**GOOD, "thickness_m": [10.0, 40.0, np.nan]})) == 3


def test_columns_of_different_lengths_are_refused_with_their_lengths() -> None:
    with pytest.raises(DataError, match=r"one value a layer of each.*'thickness_m': 2"):
        LayeredMedium(**{**GOOD, "thickness_m": [10.0, 40.0]})


def test_a_material_that_resists_compression_less_than_nothing_is_refused() -> None:
    with pytest.raises(DataError, match=r"layer 1: vp 440 m/s must be more than 1.155 vs, and vs is 400 m/s"):
        LayeredMedium(**{**GOOD, "vp_m_s": [300.0, 440.0, 2000.0]})


def test_it_says_its_depths_poisson_ratios_and_vs30() -> None:
    medium = LayeredMedium(**GOOD)
    assert medium.depths_m.tolist() == [0.0, 10.0, 50.0]
    np.testing.assert_allclose(medium.poisson_ratio, 1 / 3)  # vp = 2 vs
    assert medium.vs30_m_s == pytest.approx(30 / (10 / 150 + 20 / 400))
    np.testing.assert_array_equal(medium.table[:, 2], GOOD["vs_m_s"])
