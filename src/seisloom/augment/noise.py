"""Adding noise: white, coloured or real, lines across a gather, and the swell of the sea. Labels stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.augment.amplitude import as_rows, per_trace
from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.bank import bank_of
from seisloom.augment.batch import Batch
from seisloom.augment.gaussian import add_gaussian, fill_gaussian
from seisloom.augment.kernels import is_plain
from seisloom.augment.pieces import fitted_pieces
from seisloom.augment.time import fs_hz, log_uniform
from seisloom.config import Paths
from seisloom.sample import Array


class AddNoise(Augmentation):
    """Add noise of a drawn level: Gaussian, white or coloured, or real noise from a bank.

    The level is either a signal-to-noise ratio in dB (snr_min, snr_max), of the mean squares of the whole record, all
    traces and channels, reached exactly; or an amplitude in dB relative to x = 1 (low_db, high_db), of its own on each
    trace. Give one kind. Colour: a power spectrum f^-e (exponent_max: 1 pink, 2 brown), or a moving average.
    """

    in_order: ClassVar[tuple[str, ...]] = ("snr_min", "snr_max")
    name: str = "add_noise"
    snr_min: float | None = None
    """Least signal-to-noise ratio in dB, relative to the record's own power."""
    snr_max: float | None = None
    """Largest signal-to-noise ratio in dB."""
    low_db: float | None = None
    """Least level in dB relative to x = 1; without any level -70."""
    high_db: float | None = None
    """Largest level in dB; without any level -14."""
    spread_db: float = Field(6.0, ge=0)
    """Standard deviation of a level relative to x = 1 between the traces of a sample, in dB."""
    max_smooth: int | None = Field(None, ge=1)
    """Longest moving average in samples; 1 keeps the noise white. None takes 1 with a signal-to-noise ratio, else 11.
    """
    exponent_min: float = Field(0.0, ge=-4, le=4)
    """Least exponent e of the power spectrum f^-e: 0 white, 1 pink, 2 brown, negative blue."""
    exponent_max: float = Field(0.0, ge=-4, le=4)
    """Largest exponent."""
    source: Literal["gaussian", "bank"] = "gaussian"
    """gaussian: made; bank: records of real noise, taken from a bank."""
    bank: Annotated[str | None, Paths()] = None
    """An .npz with real noise, see `seisloom.augment.bank`; None takes what the training gives."""

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, values: Any) -> Any:  # Any: not yet validated
        if not isinstance(values, Mapping):
            return values
        given = {one: values.get(one) is not None for one in ("snr_min", "snr_max", "low_db", "high_db")}
        ratio, level = given["snr_min"] or given["snr_max"], given["low_db"] or given["high_db"]
        if ratio and level:
            raise ValueError("add_noise: give snr_min and snr_max, or low_db and high_db, not both kinds")
        if ratio and not (given["snr_min"] and given["snr_max"]):
            raise ValueError("add_noise: snr_min and snr_max belong together; give both, equal for one ratio")
        if ratio:
            return values
        levels = {"low_db": -70.0, "high_db": -14.0}
        return {**values, **{one: default for one, default in levels.items() if not given[one]}}

    @model_validator(mode="after")
    def _in_order(self) -> AddNoise:
        pairs = (("snr_min", "snr_max"), ("low_db", "high_db"), ("exponent_min", "exponent_max"))
        for low, high in pairs:
            a, b = getattr(self, low), getattr(self, high)
            if a is not None and a > b:
                raise ValueError(f"{low} {a:g} must not be above {high} {b:g}")
        return self

    @property
    def takes_partners(self) -> bool:
        """Whether noise is taken from a bank that no file names."""
        return self.source == "bank" and self.bank is None

    @property
    def _is_plain_white(self) -> bool:
        """Whether it is made, white, and has a ratio to the record: then compiled loops make and add it."""
        is_coloured = self.exponent_min or self.exponent_max or (self.max_smooth or 1) > 1
        return self.snr_min is not None and self.source == "gaussian" and not is_coloured

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `level` (item, trace) or `snr_db` (item,), what colours the noise, and the key it is made from."""
        draws: Draws = {}
        if self.snr_min is not None and self.snr_max is not None:
            draws["snr_db"] = np.array([row.uniform(self.snr_min, self.snr_max) for row in rows])
        else:
            n, low, high = lengths.get("trace", 1), self.low_db or 0.0, self.high_db or 0.0
            level_db = [row.uniform(low, high) + self.spread_db * row.standard_normal(n) for row in rows]
            draws["level"] = 10 ** (np.stack(level_db) / 20)
        longest = self.max_smooth or (1 if "snr_db" in draws else 11)
        draws["n_smooth"] = np.array([row.integers(1, longest + 1) for row in rows])
        draws["noise_key"] = np.array([row.integers(0, 2**62) for row in rows])
        if self.exponent_min or self.exponent_max:
            draws["exponent"] = np.array([row.uniform(self.exponent_min, self.exponent_max) for row in rows])
        if self.source == "bank":
            draws["partner"] = np.array([row.random() for row in rows])
            draws["start"] = np.array([row.random() for row in rows])
            draws["first_row"] = np.array([row.random() for row in rows])
        return draws

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with noise added to `x`; bit-equal on a CPU for any batching."""
        x = batch.arrays["x"]
        if self._is_plain_white and is_plain(x):
            x = x.clone(memory_format=torch.contiguous_format)
            self.change_rows(x.numpy(), np.arange(len(x)), draws)
            return batch.with_arrays(x=x)
        if self.source == "bank":
            bank = bank_of(batch, self.bank, self.name)
            noise = fitted_pieces(bank, draws["partner"], draws["first_row"], draws["start"], x, batch.keys)
            power = as_rows_of(mean_square(noise), x)
            noise = torch.where(power > 0, noise / power.sqrt(), noise)
        else:
            exponents = draws.get("exponent", np.zeros(len(batch)))
            noise = torch.empty_like(x)
            for one, key, k, e in zip(noise, draws["noise_key"], draws["n_smooth"], exponents, strict=True):
                if self._is_plain_white and is_plain(one):  # with gradients the same noise as without
                    fill_gaussian(key, one.numpy().reshape(-1))
                else:
                    make_noise(key, k, x[0], exponent=e, out=one)
        if "level" in draws:
            return batch.with_arrays(x=_added(x, noise, per_trace(batch, draws["level"])))
        return batch.with_arrays(x=with_snr(x, noise, draws["snr_db"]))

    def change_rows(self, x: Array, rows: Array, draws: Draws) -> bool:
        """Add white noise of a ratio to rows of `x`."""
        if self._is_plain_white:
            add_gaussian(x.reshape(len(x), -1), rows, draws["noise_key"], 10 ** (-draws["snr_db"] / 10))
        return self._is_plain_white


def make_noise(key: int, n_smooth: int, like: Tensor, *, exponent: float = 0.0, out: Tensor | None = None) -> Tensor:
    """Return Gaussian noise of unit deviation for one sample, from its own key.

    Args:
        key: seed.
        n_smooth: length of the moving average in samples.
        like: the sample; noise has its shape, type and device.
        exponent: e of the power spectrum f^-e; the mean is 0 then.
        out: where it is written to, if it is given.
    """
    device = torch.Generator(device=like.device)
    device.manual_seed(int(key))
    shape = (*like.shape[:-1], like.shape[-1] + int(n_smooth) - 1)
    if n_smooth == 1 and exponent == 0.0 and out is not None:
        return out.detach().normal_(generator=device)
    noise = torch.randn(shape, generator=device, device=like.device, dtype=like.dtype)
    if n_smooth > 1:
        flat = noise.reshape(-1, 1, shape[-1])
        smooth = torch.nn.functional.avg_pool1d(flat, int(n_smooth), stride=1) * float(n_smooth) ** 0.5
        noise = smooth.reshape(like.shape)
    if exponent != 0.0:
        noise = _coloured(noise, exponent)
    return noise if out is None else out.detach().copy_(noise)


def _coloured(noise: Tensor, exponent: float) -> Tensor:
    """Return white noise with the power spectrum f^-e, of unit deviation."""
    spectrum = torch.fft.rfft(noise)
    f = torch.arange(spectrum.shape[-1], device=noise.device, dtype=noise.dtype)
    gain = torch.where(f > 0, f.clamp(min=1), 1.0) ** (-exponent / 2)
    gain[0] = 0.0  # f^-e has no mean
    n = noise.shape[-1]
    # Each frequency but the last stands for two of n; unit deviation is Parseval's mean square
    twice = torch.full_like(gain, 2.0)
    if n % 2 == 0:
        twice[-1] = 1.0
    gain = gain / ((gain**2 * twice).sum() / n).sqrt()
    coloured: Tensor = torch.fft.irfft(spectrum * gain, n=n).to(noise.dtype)
    return coloured


def with_snr(x: Tensor, noise: Tensor, snr_db: Array) -> Tensor:
    """Return x plus noise, scaled so that mean squares of both, over a whole sample, have the ratio in dB.

    The noise's memory is taken for the sum, where no gradient is followed.
    A sample that is all zero, or whose noise is, stays as it is.
    """
    signal, given = (as_rows_of(mean_square(one), x) for one in (x, noise))
    wanted = signal * as_rows(10 ** (-snr_db / 10), x)
    factor = torch.where(given > 0, wanted / torch.where(given > 0, given, 1.0), 0.0).sqrt()
    return _added(x, noise, factor)


def _added(x: Tensor, noise: Tensor, factor: Tensor) -> Tensor:
    """Return x + factor * noise, in the memory of the noise, which nobody else has."""
    return torch.addcmul(x, noise, factor, out=None if x.requires_grad else noise)


def mean_square(x: Tensor) -> Tensor:
    """Return the mean square of each item, (item,), without a gradient.

    Item by item: a reduction over the whole batch may add in another order, and the bits would depend on the batch.
    """
    flat = x.detach().flatten(1)
    return torch.stack([torch.dot(one, one) for one in flat]) / flat.shape[1]


def as_rows_of(values: Tensor, like: Tensor) -> Tensor:
    """Return one number an item as a tensor that broadcasts over `like`."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


class LinearNoise(Augmentation):
    """Add straight events across a gather, as ground roll or a tug makes them: a Ricker wavelet at t = t0 + offset / v.

    Needs `offset_m`, (item, trace), and `fs`. Traces whose offset is not known (NaN) get none.
    """

    name: str = "linear_noise"
    low_m_s: float = Field(200.0, gt=0)
    """Least velocity in m/s; either direction is drawn."""
    high_m_s: float = Field(1200.0, gt=0)
    """Largest velocity in m/s."""
    low_hz: float = Field(5.0, gt=0)
    """Least peak frequency of the wavelet in Hz, below half of the Nyquist frequency of the data."""
    high_hz: float = Field(25.0, gt=0)
    """Largest peak frequency in Hz."""
    low_db: float = -6.0
    """Least peak amplitude in dB relative to the largest amplitude of the sample."""
    high_db: float = 0.0
    """Largest peak amplitude in dB."""
    n_events: int = Field(3, ge=1)
    """Most events in a gather; at least one."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return, each (item, n_events): `slowness` in s/m with its sign, `start` as a share of the record, `hz` and
        `level`, 0 for events that are not there."""
        n = self.n_events
        count = np.array([row.integers(1, n + 1) for row in rows])
        velocity = np.stack([log_uniform(self.low_m_s, self.high_m_s, [row] * n) for row in rows])
        sign = np.stack([np.where(row.random(n) < 0.5, -1.0, 1.0) for row in rows])
        start = np.stack([row.random(n) for row in rows])
        hz = np.stack([log_uniform(self.low_hz, self.high_hz, [row] * n) for row in rows])
        level = 10 ** (np.stack([row.uniform(self.low_db, self.high_db, n) for row in rows]) / 20)
        return {
            "slowness": sign / velocity, "start": start, "hz": hz,
            "level": np.where(np.arange(n) < count[:, None], level, 0.0),
        }  # fmt: skip

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with events added to `x`."""
        x = batch.arrays["x"]
        if "offset_m" not in batch.arrays or "trace" not in batch.schema["x"].axes:
            raise ValueError("augment.linear_noise: needs a gather with `offset_m` for each trace; leave it out here")
        rate, n_time = fs_hz(batch), x.shape[-1]
        offset = batch.arrays["offset_m"].double().cpu().numpy()
        t = np.arange(n_time)
        total = np.zeros((len(batch), offset.shape[1], n_time))
        largest = x.detach().abs().flatten(1).amax(dim=1).double().cpu().numpy()
        for k in range(self.n_events):
            slowness, start, hz, level = (draws[name][:, k, None] for name in ("slowness", "start", "hz", "level"))
            place = start * n_time + slowness * offset * rate[:, None]
            squared = (np.pi * (hz / rate[:, None])[..., None] * (t - place[..., None])) ** 2
            wavelet = (1 - 2 * squared) * np.exp(-squared)
            total += np.nan_to_num(wavelet) * (level * largest[:, None])[..., None]
        lengths = {"trace": total.shape[1], "time": n_time}
        shape = [len(batch), *(lengths.get(axis, 1) for axis in batch.schema["x"].axes)]
        return batch.with_arrays(x=x + torch.as_tensor(total, dtype=x.dtype, device=x.device).reshape(shape))


class SwellNoise(Augmentation):
    """Add strong low-frequency noise to neighbouring traces, as waves of the sea shake parts of a streamer.

    Below `high_hz` its spectrum is flat, above there is nothing.
    """

    name: str = "swell_noise"
    high_hz: float = Field(10.0, gt=0)
    """Highest frequency of the noise in Hz."""
    share: float = Field(0.3, gt=0, le=1)
    """Largest share of the traces that it is on; at least one trace, side by side."""
    low_db: float = -6.0
    """Least level in dB relative to the mean square of the sample."""
    high_db: float = 14.0
    """Largest level in dB."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `level` (item, trace), as a factor on the sample's root mean square, and `noise_key` (item,)."""
        n = lengths.get("trace", 1)
        level = np.zeros((len(rows), n))
        for one, row in zip(level, rows, strict=True):
            width = int(row.integers(1, max(round(self.share * n), 1) + 1))
            first = int(row.integers(0, n - width + 1))
            one[first : first + width] = 10 ** (row.uniform(self.low_db, self.high_db) / 20)
        return {"level": level, "noise_key": np.array([row.integers(0, 2**62) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with noise added to `x`."""
        x = batch.arrays["x"]
        n_time = x.shape[-1]
        noise = torch.stack([make_noise(key, 1, x[0]) for key in draws["noise_key"]])
        spectrum = torch.fft.rfft(noise)
        f = np.arange(spectrum.shape[-1])[None] / n_time * fs_hz(batch)[:, None]
        # The lowest frequency is always there, or a short record would have no swell at all
        kept = ((f > 0) & (f <= self.high_hz)) | (np.arange(f.shape[1]) == 1)[None]
        gain = kept * np.sqrt(n_time / (2.0 * kept.sum(axis=1, keepdims=True)))
        wide = torch.as_tensor(gain, dtype=x.dtype, device=x.device).reshape(len(x), *[1] * (x.ndim - 2), -1)
        swell = torch.fft.irfft(spectrum * wide, n=n_time).to(x.dtype)
        rms = as_rows_of(mean_square(x).sqrt(), x)
        return batch.with_arrays(x=x + swell * rms * per_trace(batch, draws["level"]))
