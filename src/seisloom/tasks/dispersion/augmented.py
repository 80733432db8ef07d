"""Changes of a stored spectrum: its axes bent with the curves, noise, patches; what was drawn is said."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch

from seisloom.augment.batch import Batch
from seisloom.augment.masks import draw_bands
from seisloom.augment.resample import warp_axis
from seisloom.augment.spectrum import SpectrumNoise
from seisloom.augment.time import draw_waves, warped_places
from seisloom.errors import DataError
from seisloom.sample import Array, Arrays, Field, Schema
from seisloom.signal.velocity_spectra.panel import normalise_panel
from seisloom.tasks.dispersion.blocks import DispersionData, PanelOcclusion

Drawn: TypeAlias = dict[str, Any]  # Any: JSON values
MORE_SNR_DB = 20.0
"""The largest signal-to-noise ratio over the least."""
N_WAVES = 2
"""Half-waves of the fastest sine over an axis, as of `axis_warp`."""
LARGEST_SHIFT = 0.1
"""Of an axis, as a share of it: 2 sines that shift by more could fold it."""
PANEL = Schema(
    (
        Field("x", ("velocity", "frequency")),
        Field("velocity_m_s", ("velocity",), unit="m/s"),
        Field("frequency_hz", ("frequency",), unit="Hz"),
    )
)
FLAGS = ("in_window", "resolved", "excited", "heard", "aliased")


def augment_panel(data: DispersionData, arrays: Arrays, rng: np.random.Generator) -> tuple[dict[str, Array], Drawn]:
    """Return the arrays of a record with its spectrum changed, and what was drawn.

    The axes are bent first, then noise is added, then patches are weakened: noise is not resampled, and a patch stays
    weak. A spectrum is a size: with noise it is |spectrum + noise|, and is normalised again as the data say. Curves
    and `apparent` move with the axes, labels of modes along frequency, and `in_window` is found anew; the numbers of
    the medium itself (group velocity, distance to the next mode) stay. A curve beyond the window keeps its velocity,
    since the ends of an axis stay. Each of the three draws from numbers of its own, so that one that is on leaves the
    others' alone.

    Args:
        data: says what is on.
        arrays: of a record, as `make_record` has them; not changed.
        rng: of this record alone.
    Returns:
        The arrays; and `aug_noise_snr_db`, `aug_occlusion_patches` (how many), `aug_warp_freq` in Hz and
        `aug_warp_vel` in m/s (largest shift of each axis), None where it is off, and what else says the change:
        `noise`, `patches` ([first, stop, first, stop] in frequencies and velocities) and `waves`.
    Raises:
        DataError: if an axis is to be bent by more than a tenth of it.
    """
    wanted, found = data.augmentation, dict(arrays)
    for_noise, for_patches, for_warp = rng.spawn(3)
    drawn: Drawn = dict.fromkeys(("aug_noise_snr_db", "aug_occlusion_patches", "aug_warp_freq", "aug_warp_vel"))
    if wanted.warp.enabled:
        shifts = {"freq": wanted.warp.max_freq_shift, "vel": wanted.warp.max_vel_shift}
        for (name, largest), axis in zip(shifts.items(), ("freq", "phase_velocity"), strict=True):
            shift, wave = _draw_wave(arrays[axis], largest, for_warp, f"augmentation.warp.max_{name}_shift")
            drawn[f"aug_warp_{name}"] = shift
            drawn.setdefault("waves", {})[name] = wave.tolist()
        found = _bent(found, {name: np.array(one) for name, one in drawn["waves"].items()})
    if wanted.noise.enabled:
        least = wanted.noise.snr_db
        entry = SpectrumNoise(snr_min=least, snr_max=least + MORE_SNR_DB)
        batch = _batch(found)
        draws = entry.draw(batch.lengths(), [for_noise])
        noisy = np.abs(entry.apply(batch, draws).arrays["x"][0].numpy())
        found["spectrum"] = normalise_panel(noisy, data.simulation.normalise)[0]
        drawn["aug_noise_snr_db"] = float(draws["snr_db"][0])
        drawn["noise"] = {name: int(draws[name][0]) for name in ("n_smooth", "noise_key")}
    if wanted.occlusion.enabled:
        patches = _draw_patches(wanted.occlusion, found["spectrum"].shape, for_patches)
        found["spectrum"] = _weakened(found["spectrum"], patches, wanted.occlusion.attenuation)
        drawn["aug_occlusion_patches"], drawn["patches"] = len(patches), patches
    return found, drawn


def _batch(arrays: Arrays) -> Batch:
    """Return the spectrum as a batch of one."""
    named = {"x": "spectrum", "velocity_m_s": "phase_velocity", "frequency_hz": "freq"}
    tensors = {ours: torch.from_numpy(np.array(arrays[name], np.float32)[None]) for ours, name in named.items()}
    return Batch(tensors, ("record",), PANEL)


def _draw_wave(axis: Array, largest: float, rng: np.random.Generator, key: str) -> tuple[float | None, Array]:
    """Return the largest shift of an axis in its unit, None for none, and the sines that bend it in shares of it."""
    whole = float(axis[-1] - axis[0])
    if largest > LARGEST_SHIFT * whole:
        raise DataError(
            f"{key} {largest:g} is more than a tenth of the axis, {axis[0]:g} to {axis[-1]:g}; take at most "
            f"{LARGEST_SHIFT * whole:g}"
        )
    wave = draw_waves(0.5, N_WAVES, [rng])
    shift = float(rng.uniform(0, largest))
    if largest == 0:
        return None, np.zeros(N_WAVES)
    grid = np.linspace(0, 1, 1001)
    now = np.abs(warped_places(wave, len(grid))[0] / (len(grid) - 1) - grid).max()
    return shift, wave[0] * (shift / whole / now)


def _bent(arrays: dict[str, Array], waves: Arrays) -> dict[str, Array]:
    """Return the arrays in which both axes are bent: the spectrum, the curves, and what is known of them."""
    frequency, velocity = arrays["freq"], arrays["phase_velocity"]
    at_f, at_c = (warped_places(waves[name][None], len(axis))[0] for name, axis in
                  (("freq", frequency), ("vel", velocity)))  # fmt: skip
    batch = _batch(arrays)
    for axis, places in (("frequency", at_f), ("velocity", at_c)):
        if not np.array_equal(places, np.arange(len(places))):
            batch = warp_axis(batch, axis, places[None])
    number, nearest = np.arange(len(frequency)), np.rint(at_f).astype(int)
    old_velocity = np.interp(at_c, np.arange(len(velocity)), velocity)

    def moved(values: Array) -> Array:
        """Return velocities in m/s that have moved with the axis."""
        inside = (values >= velocity[0]) & (values <= velocity[-1])
        return np.where(inside, np.interp(values, old_velocity, velocity), values)

    found = {**arrays, "spectrum": batch.arrays["x"][0].clamp(0, 1).numpy()}
    labels = ("group_velocity", "energy_share", "mode_gap", "nacd", "curves")
    for name in (one for one in labels if one in arrays):
        rows = [np.interp(at_f, number, row) for row in arrays[name].astype(np.float64)]
        found[name] = np.stack(rows).astype(arrays[name].dtype)
    found["curves"] = moved(found["curves"].astype(np.float64)).astype(np.float32)
    exists = np.isfinite(found["curves"])
    for name in (one for one in FLAGS if one in arrays):
        found[name] = arrays[name][:, nearest] * exists.astype(arrays[name].dtype)
    with np.errstate(invalid="ignore"):
        inside = (found["curves"] >= velocity[0]) & (found["curves"] <= velocity[-1])
    found["in_window"] = inside.astype(np.uint8)
    if "snr_db" in arrays:
        found["snr_db"] = arrays["snr_db"][nearest]
    if "apparent" in arrays:
        found["apparent"] = moved(arrays["apparent"][nearest].astype(np.float64)).astype(np.float32)
    return found


def _draw_patches(wanted: PanelOcclusion, shape: tuple[int, ...], rng: np.random.Generator) -> list[list[int]]:
    """Return 1 to `max_patches` patches, each [first, stop] in frequencies, then in velocities."""
    n = int(rng.integers(1, wanted.max_patches + 1))
    bands = [
        *draw_bands(shape[1], wanted.max_freq_fraction, n, [rng]),
        *draw_bands(shape[0], wanted.max_vel_fraction, n, [rng]),
    ]
    return np.concatenate(bands).T.tolist()  # type: ignore[no-any-return]  # NumPy does not say what a list holds


def _weakened(spectrum: Array, patches: list[list[int]], factor: float) -> Array:
    """Return a spectrum (velocity, frequency) of which patches are multiplied by a factor, once where they overlap."""
    inside = np.zeros(spectrum.shape, dtype=bool)
    for first_f, stop_f, first_c, stop_c in patches:
        inside[first_c:stop_c, first_f:stop_f] = True
    return np.where(inside, spectrum * np.float32(factor), spectrum)
