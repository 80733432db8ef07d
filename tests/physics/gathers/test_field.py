"""Recorded gathers lie within what is drawn: frequency, aliasing, dynamic range and content of their panels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from seisloom.io.gather import read_gather
from seisloom.physics.gathers.make import make_gather
from seisloom.physics.gathers.priors import GatherPriors

N_DRAWN = 80
SHAPE = (48, 400)


def looks(x: np.ndarray) -> dict[str, float]:
    """Return numbers of a panel whose gain was balanced over time."""
    x = x / np.abs(x).max()
    level = np.sqrt(uniform_filter1d(0.7 * x**2 + 0.3 * np.mean(x**2, axis=0), 61, axis=1).clip(1e-12))
    balanced = x / level
    power = np.mean(np.abs(np.fft.rfft(balanced, axis=1)) ** 2, axis=0)
    f = np.fft.rfftfreq(x.shape[1])
    between = (balanced[:-2:2] + balanced[2::2])[: len(balanced[1:-1:2])] / 2
    hidden = balanced[1:-1:2]
    return {
        "cycles_a_sample": float((power * f).sum() / power.sum()),
        "linear_db": float(10 * np.log10(np.sum(hidden**2) / np.sum((hidden - between) ** 2))),
        "range_db": float(20 * np.log10(1 / np.median(np.abs(x[x != 0])))),
        "busy": float(np.mean(np.abs(balanced) > 0.3)),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    rows = [looks(make_gather(GatherPriors(), SHAPE, seed=5, index=k).traces.astype(float)) for k in range(N_DRAWN)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", ["viking", "mobil", "gom"])
def test_a_recorded_gather_is_no_stranger(name: str, drawn: dict[str, np.ndarray], field_data: Path) -> None:
    folder = field_data / "restoration"
    if name == "viking":
        # Late enough that little is seen ahead of the first arrivals: balanced noise there is white, and not made here
        x = read_gather(folder / "viking_small.segy").traces[72:120, 150:550]
    elif name == "mobil":
        x = np.load(folder / "mobil_receiver_gather.npy")
        x = x[:48, 300:700]
    else:
        x = read_gather(folder / "gom_cdp_nmo.su").traces[:48, 300:700]
    for key, value in looks(np.asarray(x, dtype=float)).items():
        low, high = np.quantile(drawn[key], [0.03, 0.97])
        assert low <= value <= high, f"{key} of {name} is {value:.3g}, of drawn gathers {low:.3g} to {high:.3g}"
