"""One record from its number: a medium, its modes, a gather, noise through the array, a spectrum, and what is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import ArrayPrior, LinearArray, Source, draw_arrays, draw_source
from seisloom.physics.surface_waves.draw import DrawnMedium, Stage, draw_medium, keyed_rng, model_hash
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import ModeCurves, mode_curves, phase_velocities
from seisloom.physics.surface_waves.noise import add_noise
from seisloom.physics.surface_waves.noise_draw import GatherNoise, draw_noise
from seisloom.physics.surface_waves.plane_waves import plane_wave_gather
from seisloom.physics.surface_waves.wavefield import vertical_response
from seisloom.sample import Array, Sample
from seisloom.signal.velocity_spectra.panel import VelocitySpectrum
from seisloom.signal.velocity_spectra.recorded import spectra_at
from seisloom.signal.velocity_spectra.transforms import find_transform
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.labels import heard, mode_labels, snr_db

GENERATOR = 2
"""Raised when the same numbers make another record, so that hashes of parameters differ."""
MORE_MODES = 4
"""Computed beyond those that are labelled: they share the energy, and may lie close to the last of them."""
ROOM = 1.2
"""A gather is computed for so many times as long as the slowest wave takes: later waves would come in at its start."""
FADE = 1.25
"""Up to this multiple of the highest frequency the source fades out."""
ID_DIGITS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """All that decides a record, beside the axes."""

    medium: DrawnMedium
    array: LinearArray
    source: Source
    q_s: float
    noise: GatherNoise | None

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return the numbers; those of a layer from above, thickness without the half-space."""
        layers = self.medium.medium
        return {
            "thickness_m": layers.thickness_m[:-1].tolist(), "vp_m_s": layers.vp_m_s.tolist(),
            "vs_m_s": layers.vs_m_s.tolist(), "density_kg_m3": layers.density_kg_m3.tolist(),
            "receiver_x_m": self.array.receiver_x_m.tolist(), "source_x_m": self.array.source_x_m,
            "source": asdict(self.source), "q_s": self.q_s,
            "noise": None if self.noise is None else asdict(self.noise),
        }  # fmt: skip


def make_record(data: DispersionData, index: int, *, seed: int) -> Sample:
    """Return the record of this number: the same whatever else is made, and where.

    Args:
        data: what is drawn and how.
        index: of the record, from 0.
        seed: of the data set, from 0.
    Raises:
        DataError: if no medium fits; it says what rejected how many.
    """
    drawn = draw(data, index, seed=seed)
    frequency, velocity, sim = data.frequency.values, data.phase_velocity.values, data.simulation
    curves = mode_curves(drawn.medium.medium, frequency, data.physics.modes + MORE_MODES, wave=data.physics.wave)
    clean, field = make_gather(data, drawn, curves)
    gather = clean
    if drawn.noise is not None:
        known = (frequency, curves.phase_m_s[0])
        gather = add_noise(clean, drawn.noise, array=drawn.array, fs_hz=1 / sim.dt, curve=known)
    spectrum = _seen(data, gather, drawn.array)
    quiet = spectrum if drawn.noise is None else _seen(data, clean, drawn.array)
    labels = mode_labels(
        curves, drawn.array.offsets_m, velocity, n_modes=data.physics.modes, q_s=drawn.q_s, field=field
    )
    ratio_db = snr_db(clean, gather, sim.dt, frequency)
    arrays = {
        "spectrum": spectrum.panel,
        "freq": frequency,
        "phase_velocity": velocity,
        **labels,
        "heard": heard(labels["energy_share"], ratio_db, len(drawn.array)),
        "snr_db": ratio_db,
        "apparent": quiet.peak_m_s.astype(np.float32),
        "media": drawn.medium.medium.table.astype(np.float32),
        "offsets": drawn.array.offsets_m.astype(np.float32),
    }
    augmented: Mapping[str, Any] = {}
    if data.augmentation.is_on:  # of what the spectrum then shows no traces were recorded
        from seisloom.tasks.dispersion.augmented import augment_panel  # torch

        arrays, augmented = augment_panel(data, arrays, keyed_rng(seed, index, Stage.AUGMENT))
    else:
        arrays["trace_spectra"] = in_parts(spectra_at(gather, sim.dt, frequency))
    values = {**drawn.to_json(), "augmentation": dict(augmented)}
    hashes = {"model_hash": model_hash(drawn.medium.medium), "param_hash": param_hash(data, values)}
    key = hashes["param_hash"][:ID_DIGITS]
    meta = {
        **hashes, "index": index, "seed": seed, "generator": GENERATOR, "prior": drawn.medium.prior,
        "rejected": dict(drawn.medium.rejected), "transform": sim.transform, "method": sim.method, **values,
    }  # fmt: skip
    return Sample(key, {"model": hashes["model_hash"]}, arrays, meta)


def in_parts(spectra: Array) -> Array:
    """Return spectra of traces, complex (channel, frequency), as they are stored: float16 (part, channel, frequency).

    Real parts, then imaginary ones, each frequency divided by its largest size.
    """
    largest = np.abs(spectra).max(axis=0)
    scaled = spectra / np.where(largest > 0, largest, 1)
    return np.stack([scaled.real, scaled.imag]).astype(np.float16)


def draw(data: DispersionData, index: int, *, seed: int) -> Drawn:
    """Return what is drawn for a record; each stage has random numbers of its own."""
    frequency = data.frequency.values

    def reject(medium: LayeredMedium) -> str | None:
        c = phase_velocities(medium, frequency, 1, wave=data.physics.wave)[0]
        with np.errstate(invalid="ignore"):
            inside = (c >= data.phase_velocity.min_m_s) & (c <= data.phase_velocity.max_m_s)
        return "fundamental mode out of the window" if inside.mean() < data.physics.least_in_window else None

    medium = draw_medium(data.physics.medium, seed=seed, index=index, reject=reject)
    rng = keyed_rng(seed, index, Stage.ACQUISITION)
    array = draw_arrays(_arrays(data), rng)[0]
    source = draw_source(data.simulation.source, rng)
    q_s = float(np.exp(rng.uniform(*np.log(data.simulation.q_s))))
    prior = data.simulation.noise
    noise = None if prior is None else draw_noise(prior, keyed_rng(seed, index, Stage.NOISE), array)
    return Drawn(medium, array, source, q_s, noise)


def _arrays(data: DispersionData) -> ArrayPrior:
    """Return the prior of arrays with what the simulation fixes."""
    sim = data.simulation
    fixed: dict[str, Any] = {}  # Any: keys of a prior
    if sim.nx is not None:
        fixed["n_receivers"] = (sim.nx, sim.nx)
    if sim.dx is not None:
        fixed |= {"spacing_m": (sim.dx, sim.dx), "geometries": ("regular",)}
    if sim.first_offset is not None:
        fixed |= {"first_offset_m": (sim.first_offset, sim.first_offset), "shots": "before"}
    return sim.arrays.model_copy(update=fixed)


def make_gather(data: DispersionData, drawn: Drawn, curves: ModeCurves) -> tuple[Array, Array | None]:
    """Return the gather without noise, float64 (channel, time), and the energy of the field; see `mode_labels`.

    The source acts at time 0. Plane waves are nothing but modes: they have no other energy.
    """
    sim, offsets = data.simulation, drawn.array.offsets_m
    slowest = np.nanmin(curves.phase_m_s, initial=np.inf)
    n_time = max(sim.nt, ceil(ROOM * offsets.max() / (slowest * sim.dt)))
    if sim.method == "plane_waves":
        labelled = curves.phase_m_s[: data.physics.modes]
        made = plane_wave_gather(
            curves.frequency_hz, labelled, offsets, n_time=n_time, fs_hz=1 / sim.dt, spectrum=drawn.source.spectrum
        )
        return made[:, : sim.nt], None
    f = np.fft.rfftfreq(n_time, sim.dt)
    inside = (f > 0) & (f <= FADE * data.frequency.max_hz)
    sent = drawn.source.spectrum(f[inside]) * _fade(f[inside], data.frequency.max_hz)
    distances = np.maximum(offsets, 0.1)
    response = vertical_response(
        drawn.medium.medium, f[inside], distances, q_s=drawn.q_s, q_p=sim.q_p_over_q_s * drawn.q_s
    )
    energy = (np.abs(response) ** 2 * distances[:, None]).mean(axis=0)
    spectra = np.zeros((len(offsets), len(f)), dtype=np.complex128)
    spectra[:, inside] = response * sent
    made = np.fft.irfft(spectra, n_time, axis=-1)[:, : sim.nt]
    if not np.isfinite(made).all():
        raise DataError("the wavefield of a medium is not finite; this is an error of the program, please report it")
    return np.asarray(made / np.abs(made).max()), np.interp(curves.frequency_hz, f[inside], energy)


def _fade(frequency_hz: Array, highest_hz: float) -> Array:
    """Return 1 up to a frequency, and a cosine from there to 0 at `FADE` times it."""
    share = np.clip((frequency_hz / highest_hz - 1) / (FADE - 1), 0, 1)
    return np.asarray(0.5 * (1 + np.cos(np.pi * share)))


def _seen(data: DispersionData, gather: Array, array: LinearArray) -> VelocitySpectrum:
    transform = find_transform(data.simulation.transform)
    return transform(
        gather, data.simulation.dt, array.offsets_m, data.frequency.values, data.phase_velocity.values,
        normalise=data.simulation.normalise,
    )  # fmt: skip


def param_hash(data: DispersionData, values: Mapping[str, Any]) -> str:
    """Return 64 hexadecimal digits that equal records share: of all that decides a record, as it took effect."""
    settings = data.model_dump(mode="json", include={"frequency": True, "phase_velocity": True, "simulation": {
        "method", "nt", "dt", "q_p_over_q_s", "transform", "normalise"}, "physics": {"modes", "wave"}})  # fmt: skip
    said = json.dumps({"generator": GENERATOR, **settings, **_rounded(values)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _rounded(value: Any) -> Any:  # Any: JSON values
    """Return JSON values whose numbers have nine digits, so that a last bit changes no hash."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
