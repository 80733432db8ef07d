"""Spectra of batches of traces in torch: the same numbers as `seisloom.signal.spectra`, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seisloom.errors import DataError
from seisloom.signal import spectra


def stft(x: Tensor, *, n_fft: int = 256, hop: int | None = None) -> Tensor:
    """Return the short-time Fourier transform, complex (..., frequency, frame); see `seisloom.signal.spectra.stft`.

    Args:
        x: traces, (..., time), float32 or float64.
        n_fft: samples of a frame.
        hop: samples from one frame to the next; None takes n_fft // 2.
    """
    step = n_fft // 2 if hop is None else hop
    if n_fft < 2 or step < 1 or x.shape[-1] < 1:
        raise DataError(f"stft: n_fft {n_fft}, hop {step} and shape {tuple(x.shape)} do not fit")
    n_padded = (spectra.n_frames(x.shape[-1], n_fft=n_fft, hop=step) - 1) * step + n_fft
    framed = functional.pad(x, (0, n_padded - x.shape[-1])).unfold(-1, n_fft, step)
    window = torch.as_tensor(spectra.window(n_fft) / n_fft**0.5, dtype=x.dtype, device=x.device)
    spectrum: Tensor = torch.fft.rfft(framed * window)
    return spectrum.transpose(-1, -2)


def power_spectrum(x: Tensor, *, n_fft: int = 512) -> Tensor:
    """Return Welch's power spectrum, (..., n_fft // 2 + 1); see `seisloom.signal.spectra.power_spectrum`."""
    spectrum = stft(x, n_fft=n_fft)
    power = spectrum.real**2 + spectrum.imag**2  # not abs()**2, whose gradient at 0 is not finite
    mean: Tensor = power.sum(dim=-1) / spectra.covered(x.shape[-1], n_fft)
    return mean


def log_power_spectrum(x: Tensor, *, n_fft: int = 512) -> Tensor:
    """Return `power_spectrum` in dB relative to 1, not below -120 dB."""
    return 10 * torch.log10(power_spectrum(x, n_fft=n_fft).clamp(min=10 ** (spectra.FLOOR_DB / 10)))
