"""Spectra in torch: NumPy's numbers, with gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.errors import DataError
from seisloom.nn import spectra as ours
from seisloom.signal import spectra


@pytest.mark.parametrize("n_time", [40, 64, 200, 517])
def test_torch_and_numpy_agree(n_time: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, n_time))
    for name, settings in (("stft", {"n_fft": 64, "hop": 20}), ("power_spectrum", {"n_fft": 64}),
                           ("log_power_spectrum", {"n_fft": 64})):  # fmt: skip
        expected = getattr(spectra, name)(x, **settings)
        found = getattr(ours, name)(torch.from_numpy(x), **settings)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_gradients_are_those_of_differences_and_finite_in_silence() -> None:
    x = torch.randn(2, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda one: ours.log_power_spectrum(one, n_fft=8), (x,))
    silent = torch.zeros(2, 30, requires_grad=True)
    (gradient,) = torch.autograd.grad(ours.power_spectrum(silent, n_fft=8).sum(), silent)
    assert torch.isfinite(gradient).all()


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="hop 0"):
        ours.stft(torch.zeros(10), n_fft=4, hop=0)
