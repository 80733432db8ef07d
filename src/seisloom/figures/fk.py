"""Spectra of panels in frequency and wavenumber, with the fan of the signal's slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.fft import fftfreq, fftshift, rfft2, rfftfreq

from seisloom.figures.style import SKY
from seisloom.sample import Array

DEEPEST_DB = -60.0
"""Of what is drawn, below the strongest coefficient of the reference."""


def draw_spectrum(
    axes: Axes, values: Array, *, reference: float, fs_hz: float | None, slopes: tuple[float, float] | None = None
) -> Any:  # Any: Matplotlib's image
    """Draw the amplitude spectrum of a panel in dB, frequency upwards, and the ends of the fan.

    Args:
        axes: where.
        values: (trace, time); zeros in dead traces.
        reference: amplitude of 0 dB, such as `strongest` of the truth; the same for panels that are compared.
        fs_hz: sampling rate in Hz; None draws cycles a sample.
        slopes: smallest and largest slope in samples a trace; lines come back on the other side where they alias.
    Returns:
        The image, for a colour bar.
    """
    x = np.asarray(values, dtype=np.float64)
    amplitude = fftshift(np.abs(rfft2(x)), axes=0)
    least = reference * 10 ** (DEEPEST_DB / 20)
    level = 20 * np.log10(np.maximum(amplitude, least) / reference) if reference > 0 else np.zeros(amplitude.shape)
    k, f = fftshift(fftfreq(x.shape[0])), rfftfreq(x.shape[1]) * (fs_hz or 1.0)
    half_k, half_f = 0.5 / len(k), 0.5 * (f[1] if len(f) > 1 else 1.0)
    image = axes.imshow(
        level.T, cmap="magma", vmin=DEEPEST_DB, vmax=0, origin="lower", aspect="auto", interpolation="nearest",
        extent=(k[0] - half_k, k[-1] + half_k, f[0] - half_f, f[-1] + half_f),
    )  # fmt: skip
    for slope in slopes or ():
        line = -slope * rfftfreq(x.shape[1])
        wrapped = (line + 0.5) % 1 - 0.5
        wrapped[1:][np.abs(np.diff(wrapped)) > 0.5] = np.nan  # not across the picture
        axes.plot(wrapped, f, color=SKY, linewidth=1.2, linestyle="--")
    axes.set(xlim=(-0.5, 0.5), xticks=(-0.4, 0, 0.4), ylim=(0, f[-1]), xlabel="cycles a trace")
    return image


def strongest(values: Array) -> float:
    """Return the largest amplitude of a panel's spectrum."""
    return float(np.abs(rfft2(np.asarray(values, dtype=np.float64))).max(initial=0))


def frequency_label(fs_hz: float | None) -> str:
    """Return the name of the axis of frequency with its unit."""
    return "frequency (cycles a sample)" if fs_hz is None else "frequency (Hz)"
