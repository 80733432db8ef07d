"""What pre-stack gathers are drawn from: spreads, earth, waves and wavelets, wide enough that field gathers lie within.

Ranges are [smallest, largest]; "log" says that the logarithm is uniform. Shares are probabilities of a gather.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from seisloom.config import Config

Kind = Literal["marine_shot", "land_shot", "receiver", "cdp", "cdp_nmo"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Spectrum = Literal["ricker", "ormsby", "butterworth"]
Range = tuple[float, float]
Probability = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]

# name: (lowest value, highest value) that a range may have
LIMITS: dict[str, Range] = {
    "spacing_m": (0.1, 1000), "peak_hz": (0.5, 500), "cycles_a_sample": (0.005, 0.3), "near_offset_m": (0, 1e4),
    "crossline_m": (0.1, 1e4), "jitter": (1e-4, 0.4), "record_s": (0.05, 30), "water_m": (5, 1e4),
    "water_m_s": (1400, 1600), "seabed_m_s": (1450, 6000), "weathering_m_s": (150, 3000), "weathering_m": (0.5, 200),
    "rock_m_s": (800, 6000), "gradient_a_s": (0, 3), "layer_share": (0.02, 1), "velocity_spread": (0, 0.5),
    "events_a_second": (0.1, 200), "reflectivity": (1e-4, 0.5), "avo": (-3, 3), "quality": (10, 1e5),
    "dip_degrees": (0.01, 40), "relief_ms": (1e-3, 60), "lateral": (1e-4, 1), "n_diffractors": (0, 100),
    "head_strength": (1e-3, 1e3), "direct_strength": (1e-3, 10), "surface_reflection": (0, 1),
    "roll_strength": (1e-3, 1e3), "roll_m_s": (50, 3000), "roll_hz": (1, 100), "static_ms": (1e-3, 30),
    "coupling": (1e-4, 1), "octaves": (0.5, 6), "ghost_m": (0.5, 50), "bubble_s": (0.02, 1), "nmo_error": (0, 0.3),
    "max_stretch": (1.01, 10), "gain_exponent": (0, 4),
}  # fmt: skip


class GatherPriors(Config):
    """Ranges that synthetic gathers are drawn from."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = KINDS
    """Kinds of gathers: end-on marine shots, land shots with the source within or beside the spread, common receivers
    (of a streamer or on the sea floor), common midpoints, and these after normal moveout correction."""
    kind_weights: tuple[Weight, ...] | None = None
    """How often each kind is drawn, relative to the others; None draws them equally often."""

    spacing_m: Range = (5.0, 50.0)
    """Distance of neighbouring traces in m, log; of midpoint gathers twice that, since source and receiver move."""
    max_slope: Annotated[float, Field(gt=0)] = 10.0
    """Steepest slope of a wave of 1500 m/s in samples a trace; wider spacings are not drawn."""
    near_offset_m: Range = (10.0, 350.0)
    """Distance in m of the source from the end of a spread that it is outside of."""
    share_far: Probability = 0.4
    """Share of spreads that begin farther out, as a window on the later channels of a streamer does."""
    crossline_m: Range = (5.0, 400.0)
    """Distance in m of the source from the line of receivers, where there is one; log."""
    share_crossline: Probability = 0.25
    """Share of gathers with such a distance: moveouts begin flat."""
    jitter: Range = (0.01, 0.2)
    """Standard deviation of a trace's place in spacings, where the spacing is not regular; log."""
    share_irregular: Probability = 0.25
    """Share of gathers whose spacing is not regular."""
    fs_hz: Annotated[tuple[float, ...], Field(min_length=1)] = (250.0, 500.0, 1000.0)
    """Sampling rates in Hz, drawn equally often."""
    record_s: Range = (1.0, 7.0)
    """Length of the record in s that the samples are a window of."""
    share_from_shot: Probability = 0.4
    """Share of windows whose first sample is at the time of the shot."""

    peak_hz: Range = (5.0, 90.0)
    """Bounds of the middle of the wavelet's band in Hz."""
    cycles_a_sample: Range = (0.035, 0.22)
    """That frequency over the sampling rate, log."""
    spectra: Annotated[tuple[Spectrum, ...], Field(min_length=1)] = ("ricker", "ormsby", "butterworth")
    """Amplitude spectra of the wavelets, drawn equally often."""
    octaves: Range = (1.2, 3.5)
    """Width of the band of Ormsby and Butterworth spectra in octaves."""
    share_zero_phase: Probability = 0.25
    """Share of wavelets of zero phase."""
    share_minimum_phase: Probability = 0.45
    """Share of wavelets of minimum phase; the others have a constant phase, any."""
    ghost_m: Range = (3.0, 25.0)
    """Depth in m of source and of receiver below the sea surface; their echoes from it notch the spectrum."""
    bubble_s: Range = (0.05, 0.25)
    """Period of the bubble of an airgun in s; its size is up to 0.4 of the first peak."""
    share_bubble: Probability = 0.4
    """Share of marine wavelets with a bubble."""

    water_m: Range = (25.0, 1500.0)
    """Depth of the water in m, log."""
    water_m_s: Range = (1460.0, 1540.0)
    """Velocity of sound in water in m/s."""
    seabed_m_s: Range = (1550.0, 3500.0)
    """Velocity of the first layer below the water in m/s, log."""
    weathering_m: Range = (3.0, 60.0)
    """Thickness of the weathered layer on land in m, log."""
    weathering_m_s: Range = (350.0, 1400.0)
    """Velocity of the weathered layer in m/s, log."""
    rock_m_s: Range = (1600.0, 4000.0)
    """Velocity of the first layer below it in m/s, log."""
    gradient_a_s: Range = (0.2, 1.2)
    """Growth of the velocity with depth in m/s a m, up to 6000 m/s."""
    layer_share: Range = (0.08, 0.35)
    """Thickness of velocity layers as a share of their depth plus 500 m."""
    velocity_spread: Range = (0.0, 0.1)
    """Standard deviation of layer velocities about the trend, as a share."""
    quality: Range = (50.0, 800.0)
    """Quality factor Q of the ground, log; more where little would be left of a wave. Water does not absorb."""

    events_a_second: Range = (10.0, 150.0)
    """Number of weak reflectors in a second of vertical time, log, besides the boundaries of velocity layers."""
    reflectivity: Range = (0.015, 0.18)
    """Standard deviation of their reflection coefficients, log."""
    avo: Range = (-2.5, 1.0)
    """Gradient over intercept of the weak reflectors: R = R0 (1 + avo sin^2), of each its own."""
    share_dipping: Probability = 0.4
    """Share of gathers over dipping reflectors."""
    dip_degrees: Range = (0.5, 20.0)
    """Dip of the deepest reflectors in degrees, log; either way, and less at shallow depth."""
    relief_ms: Range = (0.2, 10.0)
    """Smooth delays of the deepest reflectors along the spread in ms, deviation; log; not at midpoints."""
    lateral: Range = (0.01, 0.25)
    """Standard deviation of the natural logarithm of a reflection's smooth change of amplitude along the spread, log.
    """
    n_diffractors: tuple[int, int] = (0, 20)
    """Number of points that scatter; mostly few."""
    share_multiples: Probability = 0.8
    """Share of gathers with multiples from the surface."""
    surface_reflection: Range = (0.3, 1.0)
    """Size of the reflection coefficient of the surface; that of the sea is 1. Its sign is negative."""
    head_strength: Range = (0.3, 20.0)
    """Amplitude of head waves over that of two constant layers, log: gradients below a boundary make it more."""
    direct_strength: Range = (0.02, 0.8)
    """Amplitude of the direct wave over that of a source without directivity, log."""
    share_guided: Probability = 0.3
    """Share of shots with waves guided by the water, or by the weathered layer on land."""
    share_roll: Probability = 0.6
    """Share of land shots with ground roll."""
    roll_strength: Range = (0.1, 10.0)
    """RMS of ground roll or guided waves over that of all body waves in the window, log."""
    roll_m_s: Range = (120.0, 900.0)
    """Phase velocity of ground roll at high frequency in m/s, log; up to 3 times that at low frequency."""
    roll_hz: Range = (4.0, 22.0)
    """Peak frequency of ground roll in Hz, log."""
    static_ms: Range = (0.1, 6.0)
    """Standard deviation of the delays of land receivers in ms, log."""
    coupling: Range = (0.005, 0.2)
    """Standard deviation of the natural logarithm of the traces' factors, log."""

    share_reversed: Probability = 0.5
    """Share of gathers whose traces come in falling order of their place."""
    nmo_error: Range = (0.0, 0.06)
    """Largest error of the velocity that moveout is corrected with, as a share, either way."""
    max_stretch: Range = (1.2, 3.0)
    """Stretch by moveout correction above which samples are muted, log."""
    share_muted: Probability = 0.2
    """Share of other gathers muted above a straight line."""
    share_gained: Probability = 0.15
    """Share of gathers multiplied by a power of time; the others keep their amplitudes as the waves left them."""
    gain_exponent: Range = (0.5, 2.0)
    """That power."""

    @model_validator(mode="after")
    def _ranges_rise(self) -> GatherPriors:
        for name, (low, high) in LIMITS.items():
            bounds = getattr(self, name)
            if not low <= bounds[0] <= bounds[1] <= high:
                raise ValueError(
                    f"{name} is {list(bounds)}; write [smallest, largest] with {low:g} <= smallest <= largest <= "
                    f"{high:g}"
                )
        if self.kind_weights is not None and (len(self.kind_weights) != len(self.kinds) or not sum(self.kind_weights)):
            raise ValueError(f"kind_weights needs one number for each of {len(self.kinds)} kinds, not all 0")
        if min(self.fs_hz) <= 0:
            raise ValueError(f"fs_hz is {list(self.fs_hz)}; rates are above 0")
        if self.share_zero_phase + self.share_minimum_phase > 1:
            raise ValueError("share_zero_phase and share_minimum_phase are more than 1 together; lower one")
        return self
