"""What synthetic volumes are drawn from: ranges of faults, folds, layers, wavelets, noise and things that mislead."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seisloom.config import Config

Style = Literal["planar", "through", "curved"]
WaveletKind = Literal["ricker", "ricker_derivative", "gaussian_derivative", "ormsby"]
NoiseKind = Literal["white", "coloured", "coherent"]
Range = tuple[float, float]
Probability = Annotated[float, Field(ge=0, le=1)]

HIGHEST_F0 = (
    0.25  # cycles/sample: the high-resolution image has 1.25 f0, and a Ricker wavelet reaches to 2.5 times that
)

# name: (lowest value, highest value) that a range may have
LIMITS: dict[str, Range] = {
    "n_faults": (0, 10_000),
    "throw_samples": (0.1, 1e4),
    "dip_degrees": (10, 90),
    "strike_degrees": (0, 180),
    "rake_degrees": (10, 170),
    "fault_extent": (0.02, 100),
    "listric_degrees": (0, 60),
    "fault_reflection": (0, 1),
    "drag_share": (0, 0.9),
    "drag_width": (1, 1000),
    "amplitude_variation": (0, 1),
    "f0_cycles_per_sample": (0.01, HIGHEST_F0),
    "phase_degrees": (-180, 180),
    "layer_samples": (0.5, 200),
    "relief_samples": (0, 1e4),
    "relief_width": (8, 1e5),
    "tilt": (0, 2),
    "relief_growth": (0, 3),
    "noise_ratio": (0, 100),
    "blur_voxels": (0, 10),
    "footprint": (0, 0.5),
}


class VolumePriors(Config):
    """Ranges that a synthetic volume is drawn from; [smallest, largest] each, uniform unless it says log-uniform.

    All lengths and angles are those of the sample grid: samples along time, traces along inline and crossline.
    """

    styles: Annotated[tuple[Style, ...], Field(min_length=1)] = ("planar", "through", "curved")
    """Kinds of faulting, one of which a volume has: planar faults whose throw decays from their centre; planes
    through the whole volume, one offset by the next; or curved faults of finite extent, with unconformities."""
    style_weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """How often each of the styles is drawn, relative to the others; None draws them equally often."""
    n_faults: tuple[int, int] = (2, 9)
    """Number of faults of a volume, from 0."""
    throw_samples: Range = (0.8, 25.0)
    """Largest throw of a fault along the time axis in samples, log-uniform; at most a quarter of the time axis."""
    share_reverse: Probability = 0.3
    """Share of faults whose hanging wall went up."""
    dip_degrees: Range = (50.0, 88.0)
    """Dip of the faults in degrees as seen on the sample grid, 10 to 90; they dip to either side."""
    strike_degrees: Range = (0.0, 180.0)
    """Strike of the faults in degrees, 0 to 180; a section (first axis of length 1) is always perpendicular to it."""
    rake_degrees: Range = (30.0, 150.0)
    """Direction of slip of planes through the volume in degrees, 10 to 170; 90 is along the dip."""
    fault_extent: Range = (0.25, 1.2)
    """Half of the length and height of a fault with tips, as a share of the volume's sides; log-uniform."""
    listric_degrees: Range = (0.0, 30.0)
    """By how many degrees the dip of a curved fault falls from its upper to its lower tip, 0 to 60."""
    drag_share: Range = (0.0, 0.0)
    """Share of a fault's throw that is no break: beside the fault layers bend towards it, 0 to 0.9."""
    drag_width: Range = (2.0, 10.0)
    """How far from a fault layers bend in voxels, log-uniform; further where it is neither steep nor of little throw.
    """
    fault_spacing: Annotated[float, Field(ge=0)] = 12.0
    """Distance in voxels that centres of faults keep from other faults where there is room."""
    fault_reflection: Range = (0.0, 0.25)
    """Reflectivity of the fault plane itself, as a share of the contrast across it, 0 to 1."""
    label_thickness: Annotated[float, Field(ge=1, le=20)] = 3.0
    """Thickness of the fault labels in voxels, across the fault."""
    label_throw_samples: Annotated[float, Field(ge=0)] = 0.8
    """Throw in samples below which a fault is not labelled there, since nobody could see it."""
    label_throw_periods: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Throw in periods of the wavelet (1 / f0) below which a fault is not labelled there, either: a tenth of a period
    of two-way time is a twentieth of a wavelength, the limit of visibility at fair signal to noise (Brown, 2011,
    Interpretation of Three-Dimensional Seismic Data, AAPG Memoir 42). 0 labels all from `label_throw_samples` on."""
    f0_cycles_per_sample: Range = (0.05, 0.18)
    """Peak frequency of the wavelet in cycles a sample, 0.01 to 0.25, log-uniform; 0.1 is a period of 10 samples."""
    wavelets: Annotated[tuple[WaveletKind, ...], Field(min_length=1)] = (
        "ricker",
        "ricker_derivative",
        "gaussian_derivative",
        "ormsby",
    )
    """Kinds of wavelet, drawn equally often."""
    phase_degrees: Range = (-90.0, 90.0)
    """Rotation of the wavelet's phase in degrees, -180 to 180; either polarity is equally likely besides."""
    layer_samples: Range = (2.0, 10.0)
    """Mean thickness of the layers of a volume in samples, log-uniform; at most a quarter of the time axis."""
    amplitude_variation: Range = (0.0, 0.0)
    """RMS by which the contrast of layers varies along and across them, as a share of it; 0 to 1."""
    relief_samples: Range = (2.0, 20.0)
    """Height in samples of the folds from their deepest to their highest points, where a volume shows several."""
    relief_width: Range = (15.0, 40.0)
    """Standard deviation in traces of the smoothing that makes the folds, from 8: a fold is about 5 times as wide."""
    relief_growth: Range = (0.0, 1.0)
    """By what share the relief grows from the top to the bottom of the volume."""
    tilt: Range = (0.0, 0.2)
    """Slope of the whole volume in samples a trace, in a random direction."""
    p_domes: Probability = 0.3
    """Probability of 1 to 4 domes or basins besides the folds."""
    p_unconformity: Probability = 0.4
    """Probability of an erosional, angular unconformity in a volume of curved faults."""
    noise_ratio: Range = (0.0, 0.6)
    """RMS of the noise over the nominal RMS of the signal, which is 1."""
    noises: Annotated[tuple[NoiseKind, ...], Field(min_length=1)] = ("white", "coloured", "coherent")
    """Kinds of noise that a volume's noise is mixed from: white; as band-limited as the signal and smoothed
    laterally; dipping linear events."""
    blur_voxels: Range = (0.0, 1.5)
    """Standard deviation of the lateral blur in traces; the high-resolution image is not blurred."""
    footprint: Range = (0.0, 0.15)
    """Amplitude of an acquisition footprint, periodic along both lateral axes and fading with depth, 0 to 0.5."""
    p_dim: Probability = 0.4
    """Probability of 1 to 4 dim zones: smooth patches in which amplitudes are down to a tenth; not labelled."""
    p_flexure: Probability = 0.3
    """Probability of 1 to 3 flexures: steep, continuous steps that are no faults; not labelled."""
    p_sag: Probability = 0.3
    """Probability of 1 to 4 sags: narrow, continuous depressions that are no faults; not labelled."""
    p_burst: Probability = 0.2
    """Probability of 1 to 3 patches of noise several times as strong."""

    @model_validator(mode="after")
    def _values_are_possible(self) -> VolumePriors:
        for name, (low, high) in LIMITS.items():
            first, last = getattr(self, name)
            if not low <= first <= last <= high:
                raise ValueError(
                    f"{name} is [{first:g}, {last:g}]; write [smallest, largest] with {low:g} <= smallest <= "
                    f"largest <= {high:g}"
                )
        weights = self.style_weights
        if weights is not None and (len(weights) != len(self.styles) or not sum(weights) > 0):
            raise ValueError(
                f"style_weights is {list(weights)}; write one weight for each of styles {list(self.styles)}, "
                "not all of them 0"
            )
        if len(set(self.styles)) < len(self.styles):
            raise ValueError(f"styles is {list(self.styles)}; name each style once and set style_weights instead")
        return self
