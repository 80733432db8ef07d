"""Soft masks of modes, rendered from their curves when they are needed: stored, they would be 256 times as large."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seisloom.errors import DataError
from seisloom.sample import Array

SHARE = 0.4
"""Standard deviation of a mask in resolutions of the array, c^2 / (f L); at half its height it is 0.94 of one wide."""
FEWEST_PX = 1.0
"""Least standard deviation in bins."""
LEAST = -80.0
"""Least exponent, 2e-35: a processor takes thirty times as long for an exponential that float32 cannot hold."""


def render_masks(
    curves: Tensor,
    frequency_hz: Tensor,
    velocity_m_s: Tensor,
    *,
    length_m: Tensor | float | None = None,
    blur_sigma_px: float | None = None,
    antialiased: bool = True,
) -> Tensor:
    """Return a mask for each curve, (item, mode, velocity, frequency), from 0 to 1, differentiable in the curves.

    A curve c_m(f) gives exp(-(c - c_m)^2 / (2 s^2)) with s = max(1 bin, 0.4 c_m^2 / (f L)): as wide as an array of
    length L sees a mode, a bin at least. Each frequency is divided by its largest value, which is that of the bin c_k
    nearest to the curve; so the peak is exactly 1 wherever between two bins the curve runs. The quotient is
    exp(-(c - c_k) (c + c_k - 2 c_m) / (2 s^2)): continuous in c_m, since halfway between two bins both of them are 1,
    and smooth elsewhere. Where within a bin a curve runs is told by the peak's neighbours, not by the peak.

    Args:
        curves: phase velocities in m/s, (item, mode, frequency); NaN where there is no mode. Masks are of their type,
            and on their device.
        frequency_hz: (frequency,) or (item, frequency); at 0 Hz there is no wave, and no mask of an array's width.
        velocity_m_s: (velocity,), ascending.
        length_m: of the array in m, one for all or (item,), positive; not looked at if `blur_sigma_px` is given.
        blur_sigma_px: the standard deviation s in bins, in place of the array's.
        antialiased: False moves a curve to its nearest bin, and has no gradient: a line one bin wide, or with
            `blur_sigma_px` one that is blurred about that bin.
    Returns:
        0 at frequencies at which a curve is NaN, or beyond the first or the last velocity: a mode that leaves the
        window is not drawn on its border. The gradient of such points is 0.
    Raises:
        DataError: if shapes do not fit, or neither a length nor a blur says how wide a mask is.
    """
    _check(curves, frequency_hz, velocity_m_s, length_m)
    velocity = velocity_m_s.to(curves)
    inside = (curves >= velocity[0]) & (curves <= velocity[-1])  # False for NaN
    curve = torch.where(inside, curves, velocity[0])  # a number where there is none, so that no gradient is NaN
    middles = (velocity[1:] + velocity[:-1]) / 2
    nearest = torch.bucketize(curve.detach(), middles)
    if not antialiased:
        curve = velocity[nearest]
        if blur_sigma_px is None:
            line = torch.arange(len(velocity), device=curves.device)[:, None] == nearest[..., None, :]
            return (line & inside[..., None, :]).to(curves.dtype)
    pixel = torch.gradient(velocity)[0][nearest]
    if blur_sigma_px is not None:
        width = blur_sigma_px * pixel
    elif length_m is not None:
        frequency, length = (_per_item(one, curves) for one in (frequency_hz, torch.as_tensor(length_m)[..., None]))
        inside, frequency = inside & (frequency > 0), torch.where(frequency > 0, frequency, 1.0)
        width = torch.maximum(FEWEST_PX * pixel, SHARE * curve**2 / (frequency * length))
    else:
        raise DataError("masks need a width: give length_m, the array's, or blur_sigma_px, such as 1.5")
    # Not (c - c_m)^2 less that of c_k, both of which are large: float32 would lose what is left
    slope, peak = -0.5 / width**2, velocity[nearest]
    far = velocity[:, None] - peak[..., None, :]
    exponent = far * torch.addcmul((2 * slope * (peak - curve))[..., None, :], far, slope[..., None, :])
    return exponent.clamp(min=LEAST).exp() * inside[..., None, :]


def mask_arrays(
    curves: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    length_m: float | None = None,
    blur_sigma_px: float | None = None,
    antialiased: bool = True,
) -> Array:
    """Return the masks of one record as an array, float32 (mode, velocity, frequency), as they are stored or drawn.

    Args:
        curves: phase velocities in m/s, (mode, frequency); NaN where there is no mode.
        frequency_hz, velocity_m_s, length_m, blur_sigma_px, antialiased: see `render_masks`.
    Raises:
        DataError: also if a length or a blur is not positive, or velocities do not rise.
    """
    for name, value in (("length_m", length_m), ("blur_sigma_px", blur_sigma_px)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise DataError(f"{name} {value}: it must be positive")
    if not (np.diff(velocity_m_s) > 0).all():
        raise DataError("velocity_m_s must rise. Sort it, and the spectrum with it")
    given = [torch.from_numpy(np.array(one, dtype=np.float64)) for one in (curves, frequency_hz, velocity_m_s)]
    masks = render_masks(
        given[0][None], *given[1:], length_m=length_m, blur_sigma_px=blur_sigma_px, antialiased=antialiased
    )
    return masks[0].to(torch.float32).numpy()


def _per_item(values: Tensor, curves: Tensor) -> Tensor:
    """Return numbers (frequency,) or (item, frequency) such that they can be multiplied with curves."""
    values = values.to(curves)
    return values[:, None] if values.ndim == 2 else values


def _check(curves: Tensor, frequency_hz: Tensor, velocity_m_s: Tensor, length_m: Tensor | float | None) -> None:
    """Shapes only: a look at the numbers would make a GPU wait."""
    if curves.ndim != 3 or not curves.is_floating_point():
        raise DataError(
            f"curves must be floating-point (item, mode, frequency); got {curves.dtype} {tuple(curves.shape)}"
        )
    n_items, _, n_frequencies = curves.shape
    if tuple(frequency_hz.shape) not in ((n_frequencies,), (n_items, n_frequencies)):
        raise DataError(f"frequency_hz {tuple(frequency_hz.shape)} does not fit curves {tuple(curves.shape)}")
    if velocity_m_s.ndim != 1 or len(velocity_m_s) < 2:
        raise DataError(f"velocity_m_s {tuple(velocity_m_s.shape)}: one axis of at least 2 velocities is needed")
    if length_m is not None and tuple(torch.as_tensor(length_m).shape) not in ((), (n_items,)):
        raise DataError(f"length_m {tuple(torch.as_tensor(length_m).shape)}: give one length, or one for each item")
