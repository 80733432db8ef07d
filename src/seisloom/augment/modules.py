"""Augmentations as torch modules that take one record, (time, channel), for pipelines of `nn.Sequential`.

    from torch import nn
    from seisloom.augment.modules import AddNoise, AmplitudeScale, Compose, FFTTransform, RandomApply, TimeShift
    from seisloom.augment.modules import TimeStretch, ToTensor

    nn.Sequential(
        Compose([RandomApply(TimeShift(max_shift=0.1), p=0.5), RandomApply(AddNoise(snr_min=15, snr_max=40), p=0.5)]),
        FFTTransform(fft_size=512),
        ToTensor(),
    )

Entries are those of recipes; `Compose`, `RandomApply`, `OneOf` and `SomeOf` here are modules that hold them, and go
wherever an entry goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.augment import compose
from seisloom.augment.amplitude import AmplitudeScale, Clip, Gain, PolarityFlip
from seisloom.augment.augmentation import Augmentation, augment
from seisloom.augment.band import Bandlimit
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.augment.channels import ChannelDropout, Rotate
from seisloom.augment.masks import Erase, Gap
from seisloom.augment.noise import AddNoise
from seisloom.augment.time import Resample, TimeShift, TimeStretch, TimeWarp
from seisloom.sample import Array, Field, Schema
from seisloom.signal.spectra import ancestor_spectrum, log_power_spectrum

__all__ = [
    "AddNoise", "AmplitudeScale", "Bandlimit", "ChannelDropout", "Clip", "Compose", "Erase", "FFTTransform", "Gain",
    "Gap", "OneOf", "PolarityFlip", "RandomApply", "Resample", "Rotate", "SomeOf", "TimeShift", "TimeStretch",
    "TimeWarp", "ToTensor",
]  # fmt: skip

RECORD = Schema((Field("x", ("channel", "time")), Field("fs", (), unit="Hz")))
X = TypeVar("X", Array, Tensor)


class Augment(nn.Module):
    """A module that augments a record by an entry while it is training, and hands it on in evaluation.

    Args:
        entry: what is applied.
        fs_hz: sampling rate, which entries with seconds or Hz need; without it they refuse.
        seed: with the key of the record and the epoch it decides what is drawn.
        bank: for entries that take partners.
    """

    epoch: int

    def __init__(
        self, entry: Augmentation, *, fs_hz: float | None = None, seed: int = 0, bank: Bank | None = None
    ) -> None:
        super().__init__()
        self.entry, self.fs_hz, self.seed, self.bank = entry, fs_hz, seed, bank
        self.epoch, self._n_calls = 0, 0

    def set_epoch(self, epoch: int) -> None:
        """Say which pass over the data this is, for records that are given with their key."""
        self.epoch = epoch

    def forward(self, x: X, key: str | None = None) -> X:
        """Return the augmented record, of the same kind, shape and type.

        Args:
            x: array or tensor, (time, channel) or (time,), floating.
            key: name of the record: with one, what is drawn follows from (seed, epoch, key) alone. Without, it follows
                from the number of the call and torch's seed, which a loader gives each worker and epoch anew.
        """
        if not self.training:
            return x
        if key is None:
            key = f"{torch.initial_seed()}/{self._n_calls}"
            self._n_calls += 1
        values = x if isinstance(x, Tensor) else torch.from_numpy(np.ascontiguousarray(x))
        if not values.is_floating_point() or values.ndim not in (1, 2):
            raise ValueError(
                f"augment: a record has shape (time, channel) and floating numbers, this one {tuple(values.shape)} "
                f"and {values.dtype}"
            )
        rows = values.float().reshape(len(values), -1).T[None]
        arrays = {"x": rows.contiguous()}
        if self.fs_hz is not None:
            arrays["fs"] = torch.tensor([self.fs_hz])
        batch = Batch(arrays, (key,), RECORD, self.epoch)
        changed, _ = augment(batch, [self.entry], seed=self.seed, bank=self.bank)
        found = changed.arrays["x"][0].T.reshape(values.shape).to(values.dtype)
        if isinstance(x, Tensor):
            return found
        return np.ascontiguousarray(found.numpy())


def _entries(given: Sequence[Augmentation | Augment]) -> tuple[Augmentation, ...]:
    """Return entries, those inside of modules too."""
    return tuple(one.entry if isinstance(one, Augment) else one for one in given)


class Compose(Augment):
    """Several entries in a row; see `seisloom.augment.compose.Compose`."""

    def __init__(self, entries: Sequence[Augmentation | Augment], *, p: float = 1.0, **settings: Any) -> None:
        super().__init__(compose.Compose(entries=_entries(entries), p=p), **settings)  # Any: of `Augment`


class RandomApply(Augment):
    """One entry with a probability; see `seisloom.augment.compose.RandomApply`."""

    def __init__(self, entry: Augmentation | Augment, p: float = 0.5, **settings: Any) -> None:
        super().__init__(compose.RandomApply(entry=_entries([entry])[0], p=p), **settings)  # Any: of `Augment`


class OneOf(Augment):
    """One of several entries; see `seisloom.augment.compose.OneOf`."""

    def __init__(
        self, entries: Sequence[Augmentation | Augment], *, p: float = 1.0, weights: Sequence[float] = (),
        **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            compose.OneOf(entries=_entries(entries), p=p, weights=tuple(weights)), **settings
        )  # Any: of `Augment`


class SomeOf(Augment):
    """Some of several entries; see `seisloom.augment.compose.SomeOf`."""

    def __init__(
        self, entries: Sequence[Augmentation | Augment], *, low: int = 1, high: int | None = None, p: float = 1.0,
        **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            compose.SomeOf(entries=_entries(entries), low=low, high=high, p=p), **settings
        )  # Any: of `Augment`


class FFTTransform(nn.Module):
    """The spectrum of a record: (time, channel) in, (fft_size // 2 + 1, channel) out.

    Args:
        fft_size: samples of a segment; its half plus one is the number of frequencies.
        compatible: False gives the log power of the whole record, Welch-averaged, in dB, from 0 Hz to Nyquist; True the
            numbers of the older pipelines: magnitudes of the first `fft_size` samples, from high to low.
    """

    def __init__(self, fft_size: int = 512, *, compatible: bool = False) -> None:
        super().__init__()
        self.fft_size, self.compatible = fft_size, compatible

    def forward(self, x: X) -> X:
        """Return the spectrum, an array for an array and a tensor for a tensor."""
        values = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
        if self.compatible:
            found = ancestor_spectrum(values, n_fft=self.fft_size)
        else:
            found = np.moveaxis(log_power_spectrum(np.moveaxis(values, 0, -1), n_fft=self.fft_size), -1, 0)
        return torch.from_numpy(np.ascontiguousarray(found)) if isinstance(x, Tensor) else found


class ToTensor(nn.Module):
    """An array as a float32 tensor of the same shape."""

    def forward(self, x: Array | Tensor) -> Tensor:
        """Return the tensor."""
        return torch.as_tensor(np.ascontiguousarray(x) if not isinstance(x, Tensor) else x, dtype=torch.float32)
