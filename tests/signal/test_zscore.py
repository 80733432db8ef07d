"""Zero mean and unit deviation: SciPy's where it applies, ratios kept where asked for, masks and constants minded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import zscore as scipy_zscore

from seisloom.plugins import load
from seisloom.sample import Sample
from seisloom.signal.zscore import ZScore, is_constant, zscore

FLOAT32 = 1e-6  # results are float32 of about 1


def record(seed: int = 0, n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, n)) * np.array([[1.0], [10.0], [100.0]]) + np.array([[5.0], [-1e4], [1e6]])


def test_each_channel_alone_is_what_scipy_does() -> None:
    x = record()
    assert np.allclose(zscore(x), scipy_zscore(x, axis=-1), atol=FLOAT32 * 10)


def test_one_deviation_for_all_keeps_the_ratios() -> None:
    x = record()
    y = zscore(x, per="trace")
    assert np.allclose(y.mean(axis=-1), 0, atol=1e-5)
    ratio = x.std(axis=-1) / x.std(axis=-1)[0]
    assert np.allclose(y.std(axis=-1) / y.std(axis=-1)[0], ratio, rtol=1e-5)
    assert np.mean(y.astype(float) ** 2) == pytest.approx(1, rel=1e-6)


@given(gain=st.floats(1e-6, 1e6), offset=st.floats(-1e3, 1e3), per=st.sampled_from(["channel", "trace"]))
def test_gain_and_offset_change_nothing(gain: float, offset: float, per: str) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 50))
    assert np.allclose(zscore(x, per=per), zscore((x + offset) * gain, per=per), atol=1e-5)


@pytest.mark.parametrize("per", ["channel", "trace"])
def test_masked_samples_are_zero_and_count_in_nothing(per: str) -> None:
    x, mask = record(n=100), np.ones(100, np.int8)
    mask[60:] = 0
    y = zscore(np.where(mask, x, 1e9), mask=mask, per=per)
    assert not y[:, 60:].any()
    assert np.array_equal(y[:, :60], zscore(x[:, :60], per=per))


@pytest.mark.parametrize("per", ["channel", "trace"])
def test_a_constant_channel_is_zero_and_does_not_scale_the_others(per: str) -> None:
    x = record()
    x[1] = 0.1 + 1e9  # its mean is not exact in floating point
    y = zscore(x, per=per)
    assert not y[1].any()
    assert np.array_equal(y[[0, 2]], zscore(x[[0, 2]], per=per))
    assert is_constant(x).tolist() == [False, True, False]


def test_nothing_but_nan_is_zero() -> None:
    assert not zscore(np.full((2, 5), np.nan)).any()
    assert is_constant(np.full((2, 5), np.nan)).all()
    assert zscore(np.zeros((2, 0))).shape == (2, 0)


def test_the_entry_scales_a_sample_and_counts_constant_channels() -> None:
    entry = load("preparations", "zscore").model_validate({"name": "zscore", "per": "trace"})
    assert isinstance(entry, ZScore)
    x = record().astype(np.float32)
    x[2] = 7
    sample = Sample("a", {}, {"x": x, "mask": np.ones(400, np.int8), "fs": np.float32(100)})
    done = entry(sample)
    assert done.arrays["x"].dtype == np.float32
    assert done.meta == {"n_constant_channels": 1}
    assert np.array_equal(sample.arrays["x"], x)
    assert ZScore()(Sample("a", {}, {"x": x[:2]})).meta == {}
