"""Blocks of the key `data`: axes of the spectrum, how gathers are simulated, what media are drawn, where files go."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from seisloom.config import Config, Paths
from seisloom.errors import PluginError
from seisloom.physics.surface_waves.acquisition import ArrayPrior, SourcePrior
from seisloom.physics.surface_waves.modes import Wave
from seisloom.physics.surface_waves.noise_draw import NoisePrior
from seisloom.physics.surface_waves.priors import (
    LowVelocityPrior,
    MediumPrior,
    MixturePrior,
    NormalPrior,
    StiffCrustPrior,
    WeightedPrior,
    within,
)
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.panel import Normalise
from seisloom.signal.velocity_spectra.transforms import find_transform

Range = tuple[float, float]
PRIORS = MixturePrior(
    parts=(
        WeightedPrior(weight=3.0, prior=NormalPrior()),
        WeightedPrior(weight=1.0, prior=LowVelocityPrior()),
        WeightedPrior(weight=1.0, prior=StiffCrustPrior()),
    )
)


Spacing = Literal["linear", "log"]


class FrequencyAxis(Config):
    """Frequencies of the spectrum, at equal steps or equal ratios."""

    min_hz: float = Field(3.0, gt=0)
    """Lowest one in Hz."""
    max_hz: float = Field(30.0, gt=0)
    """Highest one in Hz."""
    num_samples: int = Field(101, ge=2)
    """Number of frequencies, both ends included."""
    spacing: Spacing = "linear"
    """linear: at equal steps; log: at equal ratios."""

    @model_validator(mode="after")
    def _rises(self) -> FrequencyAxis:
        if self.min_hz >= self.max_hz:
            raise ValueError(f"min_hz {self.min_hz:g} must be below max_hz {self.max_hz:g}")
        return self

    @property
    def values(self) -> Array:
        """(frequency,), in Hz."""
        return _spaced(self.min_hz, self.max_hz, self.num_samples, self.spacing)


class VelocityAxis(Config):
    """Phase velocities of the spectrum, at equal steps or equal ratios."""

    min_m_s: float = Field(60.0, gt=0)
    """Lowest one in m/s."""
    max_m_s: float = Field(900.0, gt=0)
    """Highest one in m/s."""
    num_samples: int = Field(256, ge=2)
    """Number of velocities, both ends included."""
    spacing: Spacing = "linear"
    """linear: at equal steps; log: at equal ratios."""

    @model_validator(mode="after")
    def _rises(self) -> VelocityAxis:
        if self.min_m_s >= self.max_m_s:
            raise ValueError(f"min_m_s {self.min_m_s:g} must be below max_m_s {self.max_m_s:g}")
        return self

    @property
    def values(self) -> Array:
        """(velocity,), in m/s."""
        return _spaced(self.min_m_s, self.max_m_s, self.num_samples, self.spacing)


def _spaced(first: float, last: float, n: int, spacing: Spacing) -> Array:
    """Return an axis with both its ends."""
    return np.geomspace(first, last, n) if spacing == "log" else np.linspace(first, last, n)


class Simulation(Config):
    """How a gather is made and seen."""

    method: Literal["wavefield", "plane_waves"] = "wavefield"
    """wavefield: all that a vertical force sends through the layers; plane_waves: one plane wave a mode, the cheap way,
    without excitation, spreading, near field or body waves."""
    nt: int = Field(1000, ge=16)
    """Samples of a trace."""
    dt: float = Field(0.004, gt=0)
    """Step of a trace in s."""
    nx: int | None = Field(None, ge=2)
    """Receivers of all arrays; None draws them from `arrays`."""
    dx: float | None = Field(None, gt=0)
    """Their spacing in m; None draws it."""
    first_offset: float | None = Field(None, ge=0)
    """Distance from the shot to the nearest receiver in m; None draws it."""
    arrays: ArrayPrior = ArrayPrior()
    """Lines of receivers and shots."""
    source: SourcePrior = SourcePrior()
    """What the source sends out."""
    q_s: Annotated[Range, within(2.0, 1e4)] = (15.0, 80.0)
    """Quality factor of S waves, log-uniform, the same in all layers."""
    q_p_over_q_s: float = Field(2.0, gt=0)
    """Quality factor of P waves over that of S waves."""
    noise: NoisePrior | None = NoisePrior()
    """Noise that goes through the array; null for none."""
    transform: str = "phase_shift"
    """From the gather to the spectrum: phase_shift, fk, slant_stack, fdbf, mvdr, radon."""
    normalise: Normalise = "frequency"
    """Whether the largest value is 1 at each frequency, or in the whole spectrum."""

    @field_validator("transform")
    @classmethod
    def _is_for_shots(cls, name: str) -> str:
        try:
            find_transform(name)
        except PluginError as error:
            raise ValueError(str(error)) from error
        if name == "fj":
            raise ValueError("fj takes correlations of noise; a shot takes phase_shift, fk, fdbf, mvdr or radon")
        return name


class Physics(Config):
    """What media are drawn, and which of their modes are labelled."""

    modes: int = Field(4, ge=1, le=20)
    """Number of modes that are labelled, the fundamental one first."""
    wave: Wave = "rayleigh"
    """rayleigh or love; a vertical force sends no Love waves, so these need method: plane_waves."""
    medium: MediumPrior = PRIORS
    """Kinds of layered media."""
    least_in_window: float = Field(0.3, ge=0, le=1)
    """Share of the frequencies at which the fundamental mode must lie within the velocities of the spectrum; other
    media are drawn again."""


class Folders(Config):
    """Where records go; names are relative to `output_root`."""

    output_root: Annotated[str | None, Paths()] = None
    """Folder of the data set; `--out` beats it."""
    curves_subdir: str = "curves"
    """Folder of the records."""
    format: Literal["npz", "shards"] = "npz"
    """npz: each record is a file; shards: members of tar files, which any WebDataset reader opens."""
    shard_size: int = Field(500, ge=1)
    """Most records in one tar, some 70 kB each; a run that is killed makes those of its last tar again."""
    spectra_subdir: str | None = None
    """Taken and not needed: a record holds its spectrum."""
    mask_subdir: str = "masks"
    """Folder of the masks, where they are written."""
    manifest_path: Annotated[str | None, Paths()] = None
    """List of the records; None is manifests/labels.jsonl in `output_root`."""


class Masks(Config):
    """Masks of the modes, which are drawn when they are needed."""

    write: bool = False
    """Whether they are also written."""
    blur_sigma_px: float | None = Field(None, gt=0)
    """Standard deviation in steps of velocity; None takes the resolution, 0.4 c^2 / (f L), but one step at least."""
    antialiased: bool = True
    """Whether a curve between two steps is between them."""
    channel_count: int | None = Field(None, ge=1)
    """Taken and not needed: there is one mask a mode."""


class PanelNoise(Config):
    """Noise on the spectrum itself, which has not gone through any array."""

    enabled: bool = False
    """Whether it is on."""
    snr_db: float = 25.0
    """Least signal-to-noise ratio in dB; the largest is 20 more."""


class PanelOcclusion(Config):
    """Patches of the spectrum that are weakened."""

    enabled: bool = False
    """Whether it is on."""
    max_patches: int = Field(4, ge=1)
    """Largest number of patches."""
    max_freq_fraction: float = Field(0.2, gt=0, le=1)
    """Largest width of a patch, as a share of the frequencies."""
    max_vel_fraction: float = Field(0.2, gt=0, le=1)
    """Largest height of a patch, as a share of the velocities."""
    attenuation: float = Field(0.2, ge=0, lt=1)
    """What is left in a patch."""


class PanelWarp(Config):
    """Axes that are bent; curves move with them."""

    enabled: bool = False
    """Whether it is on."""
    max_freq_shift: float = Field(1.0, ge=0)
    """Largest shift in Hz; 0 leaves this axis alone."""
    max_vel_shift: float = Field(1.0, ge=0)
    """Largest shift in m/s; 0 leaves this axis alone."""


class PanelAugmentation(Config):
    """Changes of the stored spectrum; training has its own, drawn anew each epoch, under the key `augment`."""

    noise: PanelNoise = PanelNoise()
    occlusion: PanelOcclusion = PanelOcclusion()
    warp: PanelWarp = PanelWarp()

    @property
    def is_on(self) -> bool:
        """Whether anything is changed."""
        return self.noise.enabled or self.occlusion.enabled or self.warp.enabled


class Run(Config):
    """What the command takes where it is not told."""

    dry_run_samples: int = Field(4, ge=1)
    """Number of records without --samples."""
    seed: int | None = Field(None, ge=0)
    """Beats the recipe's seed; --seed beats it."""


class DispersionData(Config):
    """Records: spectra with the curves of their modes, made as the blocks say, or read where `root` says."""

    root: Annotated[str | None, Paths()] = None
    """Folder that `seisloom synth dispersion` wrote, or its manifest, to train from; None makes each record whenever it
    is read. `${SEISLOOM_DATA}` is filled in."""
    crop: tuple[int, int] | None = None
    """Velocities and frequencies of the window of a spectrum that a training item is, at a place drawn anew each epoch;
    None takes the whole spectrum."""
    p_unknown_array: float = Field(0.1, ge=0, le=1)
    """How often a training item does not say its array, so that the network learns to do without."""
    frequency: FrequencyAxis = FrequencyAxis()
    phase_velocity: VelocityAxis = VelocityAxis()
    simulation: Simulation = Simulation()
    physics: Physics = Physics()
    paths: Folders = Folders()
    mask: Masks = Masks()
    augmentation: PanelAugmentation = PanelAugmentation()
    cli: Run = Run()
    n: int = Field(2000, ge=1)
    """Number of records that a training makes; each is made anew from its seed whenever it is read."""
    first: int = Field(0, ge=0)
    """Number of the first one, so that another set shares none with this one."""

    @model_validator(mode="before")
    @classmethod
    def _seed_words(cls, values: Any) -> Any:  # Any: not yet validated
        from seisloom.tasks.dispersion.words import with_our_words

        return with_our_words(values)

    @model_validator(mode="after")
    def _fits(self) -> DispersionData:
        nyquist = 0.5 / self.simulation.dt
        if self.frequency.max_hz > nyquist:
            raise ValueError(
                f"frequency.max_hz {self.frequency.max_hz:g} is above {nyquist:g} Hz, half the sampling rate of "
                f"simulation.dt {self.simulation.dt:g} s. Make dt smaller"
            )
        if self.physics.wave == "love" and self.simulation.method == "wavefield":
            raise ValueError("physics.wave love: a vertical force sends none. Take simulation.method plane_waves")
        if self.mask.write and self.paths.format == "shards":
            raise ValueError("mask.write: shards hold no masks, they are drawn when they are needed. Leave it out")
        return self
