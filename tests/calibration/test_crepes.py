"""Our quantiles against those of crepes, an independent implementation."""

import importlib
import sys
import types

import numpy as np
import pytest

from seisloom.calibration.conformal import conformal_quantile, normalised_scores
from seisloom.calibration.groups import snr_bin, snr_edges
from seisloom.calibration.intervals import calibrate_intervals


@pytest.fixture
def crepes_regressor(monkeypatch: pytest.MonkeyPatch):
    """Its ConformalRegressor; crepes 0.9 imports scikit-learn without declaring it, for parts that are not used."""
    try:
        importlib.import_module("sklearn")
    except ModuleNotFoundError:
        for name, members in {
            "sklearn": [],
            "sklearn.neighbors": ["NearestNeighbors"],
            "sklearn.preprocessing": ["MinMaxScaler"],
        }.items():
            stand_in = types.ModuleType(name)
            for member in members:
                setattr(stand_in, member, object)
            monkeypatch.setitem(sys.modules, name, stand_in)
    return pytest.importorskip("crepes").ConformalRegressor


@pytest.mark.parametrize("n", [12, 57, 200, 341])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.91, 0.953])
def test_normalised_quantile_is_that_of_crepes(crepes_regressor, n: int, confidence: float) -> None:
    rng = np.random.default_rng(n)
    error, sigma = rng.standard_t(4, n), rng.uniform(0.5, 3, n)
    theirs = crepes_regressor()
    theirs.fit(error, sigmas=sigma)
    interval = theirs.predict_int(np.zeros(1), sigmas=np.array([2.0]), confidence=confidence)
    ours = 2.0 * conformal_quantile(normalised_scores(error, sigma), alpha=1 - confidence)
    if np.isfinite(ours):
        np.testing.assert_allclose(interval[0], [-ours, ours], rtol=1e-12)


def test_quantiles_by_snr_are_those_of_crepes_in_the_same_bins(crepes_regressor) -> None:
    rng = np.random.default_rng(3)
    n = 700
    snr = rng.uniform(0, 30, n)
    error, sigma = rng.normal(size=n) * (1 + 20 / (1 + snr)), np.ones(n)
    ours = calibrate_intervals(error, sigma, groups=np.arange(n), snr_db=snr, n_bins=4, min_n=100)
    bins = snr_bin(snr, snr_edges(snr, n_bins=4))
    theirs = crepes_regressor()
    theirs.fit(error, sigmas=sigma, bins=bins)
    new_snr = np.linspace(0, 30, 41)
    interval = theirs.predict_int(
        np.zeros(41), sigmas=np.ones(41), bins=snr_bin(new_snr, ours.edges_db), confidence=0.9
    )
    np.testing.assert_allclose(interval[:, 1], ours.half_width(np.ones(41), new_snr), rtol=1e-12)
