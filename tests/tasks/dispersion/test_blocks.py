"""Keys of `data` that do not fit together."""

from __future__ import annotations

import pytest

from seisloom.errors import RecipeError
from seisloom.recipe import config_from
from seisloom.tasks.dispersion.blocks import DispersionData


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["frequency.min_hz=40"], "min_hz 40 must be below max_hz 30"),
        (["phase_velocity.min_m_s=900"], "min_m_s 900 must be below max_m_s 900"),
        (["simulation.dt=0.05"], "above 10 Hz, half the sampling rate"),
        (["simulation.transform=fj"], "takes correlations of noise"),
        (["simulation.transform=phaseshift"], "perhaps 'phase_shift'"),
        (["physics.wave=love"], "Take simulation.method plane_waves"),
    ],
)
def test_mistakes_are_said_with_the_way_out(changes: list[str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        config_from(DispersionData, changes, where="data")


def test_axes_have_both_ends() -> None:
    data = DispersionData()
    assert (data.frequency.values[0], data.frequency.values[-1]) == (3.0, 30.0)
    assert len(data.phase_velocity.values) == data.phase_velocity.num_samples
