"""Draw a volume from its seed, its shape and the priors, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.box import nominal_depths, nominal_levels
from seisloom.physics.volumes.draw_faults import draw_faults
from seisloom.physics.volumes.draw_noise import draw_noise, gaussian_taps
from seisloom.physics.volumes.draw_relief import draw_bends, draw_controls
from seisloom.physics.volumes.model import Shape, VolumeModel
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.physics.volumes.wavelets import layer_table, wavelet_taps
from seisloom.sample import Array

HIGH_RESOLUTION = 1.25  # frequency of `dhr` over that of `seismic`, as in the data of Gao (2024), GJI 236(1), 565
LEAST_TIME = 16


def draw_volume(shape: Shape, seed: int, priors: VolumePriors | None = None) -> VolumeModel:
    """Return a synthetic volume, of which `make_box` makes any part.

    Args:
        shape: number of voxels along (inline, crossline, time); a section is a volume of one inline.
        seed: from 0; structure, layers, noise and misleading patches are drawn apart, so that priors of the noise do
            not change the structure.
        priors: what to draw from.
    Raises:
        DataError: if the shape has no such volume.
    """
    if len(shape) != 3 or min(shape) < 1 or shape[2] < LEAST_TIME:
        raise DataError(
            f"a volume of shape {tuple(shape)} cannot be drawn; write (inline, crossline, time) with at least "
            f"{LEAST_TIME} samples, and 1 inline for a section"
        )
    if seed < 0:
        raise DataError(f"seed is {seed}; write a whole number from 0")
    priors = priors or VolumePriors()
    shape = (int(shape[0]), int(shape[1]), int(shape[2]))
    structure, layers, noise, patches = (
        np.random.Generator(np.random.PCG64(key)) for key in np.random.SeedSequence(seed).spawn(4)
    )
    weights = np.array(priors.style_weights or [1.0] * len(priors.styles))
    style = priors.styles[int(structure.choice(len(weights), p=weights / weights.sum()))]
    faults = draw_faults(structure, style, shape, priors)
    controls, controls_at = draw_controls(structure, shape, priors, margin=_carried(faults))
    f0 = _log_uniform(layers, *priors.f0_cycles_per_sample)
    kind = priors.wavelets[int(layers.integers(len(priors.wavelets)))]
    phase_rad = np.radians(layers.uniform(*priors.phase_degrees)) + np.pi * layers.integers(2)
    blur = [gaussian_taps(layers.uniform(*priors.blur_voxels)) for _ in range(2)]
    model = VolumeModel(
        shape=shape,
        seed=int(seed),
        style=style,
        faults=faults,
        n_young=0,
        bends=draw_bends(patches, shape, priors),
        controls=controls,
        controls_at=controls_at,
        unconformity=None,
        table=np.zeros(1),
        rgt_range=(0.0, 1.0),
        fault_reflection=layers.uniform(*priors.fault_reflection),
        label=(priors.label_thickness, max(priors.label_throw_samples, priors.label_throw_periods / f0)),
        wavelet=kind,
        f0=f0,
        phase_rad=float(phase_rad),
        taps=wavelet_taps(kind, f0=f0, phase_rad=phase_rad),
        taps_hr=wavelet_taps(kind, f0=HIGH_RESOLUTION * f0, phase_rad=phase_rad),
        blur=(blur[0] if shape[0] > 1 else np.ones(1, np.float32), blur[1]),
        dims=_draw_patches(patches, shape, 4, (0.4, 0.9)) if patches.random() < priors.p_dim else np.zeros((0, 7)),
        noise=draw_noise(noise, shape, f0, priors),
        variation=_draw_variation(seed, priors),
    )
    if style == "curved" and structure.random() < priors.p_unconformity:
        model = _with_unconformity(structure, model)
    if patches.random() < priors.p_burst:
        model = replace(model, noise=replace(model.noise, bursts=_draw_patches(patches, shape, 3, (1.0, 4.0))))
    return _with_layers(layers, model, priors)


def _carried(faults: Array) -> float:
    """Return how far in voxels all faults together can carry a layer sideways."""
    cot = np.abs(faults[:, m.COT]) + np.abs(faults[:, m.COT_SLOPE]) * faults[:, m.HALF_CURVE]
    return float(np.sum(np.abs(faults[:, m.THROW]) * np.hypot(cot, faults[:, m.STRIKE_SLIP])))


def _with_unconformity(rng: np.random.Generator, model: VolumeModel) -> VolumeModel:
    """Return the model with an eroded surface, above which layers follow some of its relief, and younger faults."""
    n_young = int(rng.integers(0, len(model.faults) + 1))
    depth, onlap = rng.uniform(0.15, 0.6) * model.shape[2], rng.uniform(0.0, 1.0)
    older = model.faults[n_young:]
    depths = nominal_depths(replace(model, faults=older))
    relief = float(np.abs(model.controls[2]).max())
    # All layers below are to be older than all above: the oldest above is at depth + (1 - onlap) relief in the stack,
    # the youngest below where the surface cuts deepest. Between columns older faults may reach a little higher.
    youngest = float(depths[:, max(0, int(depth - relief))].min())
    slack = 2.0 + 0.25 * float(np.abs(older[:, m.THROW]).max(initial=0.0))
    gap = max(0.0, depth + (1 - onlap) * relief - youngest) + slack
    return replace(model, n_young=n_young, unconformity=(float(onlap), float(depth), gap))


def _with_layers(rng: np.random.Generator, model: VolumeModel, priors: VolumePriors) -> VolumeModel:
    """Return the model with layers, and with wavelets scaled to a nominal RMS of 1."""
    depths = nominal_depths(model)
    low, high = float(depths.min()), float(depths.max())
    pad = 0.02 * (high - low)  # what lies between the columns may be a little higher or lower
    n_samples = 1 << int(np.ceil(np.log2(1.3 * (high - low) + 64)))
    boundaries, values = _draw_layers(rng, n_samples, model.shape[2], priors)
    model = replace(model, table=layer_table(boundaries, values, n_samples), rgt_range=(low - pad, high + pad))
    rms, rms_hr = nominal_levels(model)
    return replace(model, taps=np.float32(1 / rms) * model.taps, taps_hr=np.float32(1 / rms_hr) * model.taps_hr)


def _draw_layers(rng: np.random.Generator, n_samples: int, n_time: int, priors: VolumePriors) -> tuple[Array, Array]:
    """Return tops of layers in samples and half their log impedance; packages are strong or nearly transparent."""
    mean = min(_log_uniform(rng, *priors.layer_samples), n_time / 4)  # so that there is something to see
    n_layers = int(np.ceil(n_samples / mean * 1.2)) + 16
    tops = np.r_[0.0, np.cumsum(mean * rng.uniform(1 / 3, 5 / 3, n_layers))]
    tops = tops[tops < n_samples]
    contrast = np.interp(tops, np.linspace(0, n_samples, 2 + n_samples // 32), rng.normal(0, 0.35, 2 + n_samples // 32))
    shape = rng.normal(0, 1, len(tops)) if rng.random() < 0.5 else rng.uniform(-1.7, 1.7, len(tops))
    return tops, 0.05 * np.exp(contrast) * shape


def _draw_variation(seed: int, priors: VolumePriors) -> tuple[float, float, float, float]:
    """Return RMS and lengths of the variation of amplitudes, drawn apart so that nothing else depends on it."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(5,))))
    rms, lateral, time = rng.uniform(*priors.amplitude_variation), _log_uniform(rng, 8, 64), _log_uniform(rng, 3, 24)
    return float(rms), lateral, lateral * float(rng.uniform(0.5, 2)), time


def _draw_patches(rng: np.random.Generator, shape: Shape, n_most: int, strength: tuple[float, float]) -> Array:
    """Return centres, reciprocals of half axes and strengths of smooth patches, shape (patch, 7)."""
    n = int(rng.integers(1, n_most + 1))
    sides = np.array([shape[0] if shape[0] > 1 else shape[1], shape[1], shape[2]])
    axes = np.maximum(sides * np.exp(rng.uniform(np.log(0.08), np.log(0.35), (n, 3))), 4.0)
    centres = rng.uniform(0, 1, (n, 3)) * (np.array(shape) - 1)
    return np.concatenate([centres, 1 / axes, rng.uniform(*strength, (n, 1))], axis=1)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
