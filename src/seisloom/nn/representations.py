"""Representations of waveforms as entries of a recipe: spectra and spectrograms, in torch, behind the augmentations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from seisloom.config import Representation
from seisloom.nn.spectra import log_power_spectrum, stft
from seisloom.signal.spectra import FLOOR_DB, n_frames

UNIT_DB = 20.0
"""Decibels that are 1 to a network: spectra of records brought to one scale then lie between about -3 and 1."""


class FFT(Representation):
    """Log-power spectrum of the whole record, from 0 to the Nyquist frequency: (channel, frequency) in place of time.

    Welch's mean over segments. A shift in time, circular or not, changes it little or not at all.
    """

    name: str = "fft"
    fft_size: int = Field(512, ge=2)
    """Samples of a segment; there are half as many frequencies, and one more."""
    compatible: bool = False
    """The ancestor's numbers, to compare with: magnitudes of the first `fft_size` samples alone, without a window, from
    high to low frequency, one of them twice and 0 Hz missing. An event that comes later is not seen."""

    def build(self) -> nn.Module:
        """Return the module."""
        return _Spectrum(self.fft_size, compatible=self.compatible)


class STFT(Representation):
    """Log-power spectrogram of the record: (channel, frequency, frame) in place of time, with a mask of frames."""

    name: str = "stft"
    fft_size: int = Field(128, ge=2)
    """Samples of a frame; there are half as many frequencies, and one more."""
    hop: int | None = Field(None, ge=1)
    """Samples from one frame to the next; None takes half a frame."""
    min_real: float = Field(0.5, gt=0, le=1)
    """Share of a frame that must be recorded, or it is masked."""

    def build(self) -> nn.Module:
        """Return the module."""
        return _Spectrogram(self.fft_size, self.hop or max(self.fft_size // 2, 1), self.min_real)


class _Spectrum(nn.Module):
    def __init__(self, n_fft: int, *, compatible: bool) -> None:
        super().__init__()
        self.n_fft, self.compatible = n_fft, compatible

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the batch with the spectrum of `x` (item, channel, time) in its place, and without `mask`."""
        x = batch["x"]
        others = {name: one for name, one in batch.items() if name != "mask"}
        if self.compatible:
            return {**others, "x": torch.fft.fft(x, n=self.n_fft).abs()[..., self.n_fft // 2 - 1 :]}
        spectrum = log_power_spectrum(x, n_fft=self.n_fft)
        if "mask" in batch:  # what was not recorded is 0, and lowers a mean over the whole
            share = (batch["mask"] != 0).to(x.dtype).mean(dim=-1).clamp(min=1 / x.shape[-1])
            spectrum = (spectrum - 10 * share.log10()[:, None, None]).clamp(min=FLOOR_DB)
        return {**others, "x": spectrum / UNIT_DB}


class _Spectrogram(nn.Module):
    def __init__(self, n_fft: int, hop: int, min_real: float) -> None:
        super().__init__()
        self.n_fft, self.hop, self.min_real = n_fft, hop, min_real

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the batch with the spectrogram of `x` (item, channel, time); its `mask` becomes one of frames."""
        x = batch["x"]
        frames = stft(x, n_fft=self.n_fft, hop=self.hop)
        power = frames.real**2 + frames.imag**2
        found = {**batch, "x": 10 / UNIT_DB * power.clamp(min=10 ** (FLOOR_DB / 10)).log10()}
        if "mask" in batch:
            count = n_frames(x.shape[-1], n_fft=self.n_fft, hop=self.hop)
            real = (batch["mask"] != 0).to(x.dtype)
            beyond = max((count - 1) * self.hop + self.n_fft - x.shape[-1], 0)
            share = nn.functional.pad(real, (0, beyond)).unfold(-1, self.n_fft, self.hop).mean(dim=-1)
            found["mask"] = (share >= self.min_real).to(batch["mask"].dtype)
        return found
