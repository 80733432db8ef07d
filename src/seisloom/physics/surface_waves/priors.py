"""What layered media are drawn from: kinds of layering, told apart by their name, and what a medium must satisfy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from seisloom.config import Config

Range = tuple[float, float]
Positive = Annotated[float, Field(gt=0)]

# Limits of Vs30 in m/s. Where a class is open, we draw to 90 m/s (peat, mud) and 2500 m/s (fresh rock).
SITE_CLASSES: dict[str, dict[str, Range]] = {
    # ASCE/SEI 7-16 table 20.3-1, after BSSC (1997) NEHRP provisions, FEMA 302
    "nehrp": {"A": (1500, 2500), "B": (760, 1500), "C": (360, 760), "D": (180, 360), "E": (90, 180)},
    # EN 1998-1:2004 table 3.1; its class E is 5 to 20 m of soil on rock, and not a range of Vs30
    "ec8": {"A": (800, 2500), "B": (360, 800), "C": (180, 360), "D": (90, 180)},
}


def within(low: float, high: float) -> AfterValidator:
    """Return the check that a pair is [smallest, largest] between two limits."""

    def _check(pair: Range) -> Range:
        if not low <= pair[0] <= pair[1] <= high:
            raise ValueError(
                f"[{pair[0]:g}, {pair[1]:g}]: write [smallest, largest] with {low:g} <= smallest <= largest <= {high:g}"
            )
        return pair

    return AfterValidator(_check)


Thickness = Annotated[Range, within(0.01, 1e5)]
Velocity = Annotated[Range, within(1.0, 1e4)]
Poisson = Annotated[Range, within(0.0, 0.4999)]


class Constraints(Config):
    """What a drawn medium must satisfy; one that does not is drawn again, and the reason counted."""

    vs30_m_s: Velocity | None = None
    """Range of Vs30 in m/s: 30 m over the time that S waves take through the upper 30 m."""
    poisson: Poisson | None = None
    """Range of Poisson's ratio of all layers, those below the water table included."""
    max_depth_m: Positive | None = None
    """Deepest allowed top of the half-space in m."""
    max_contrast: Annotated[float, Field(ge=1)] | None = None
    """Largest allowed ratio of vs between neighbouring layers, either way, the half-space included."""
    half_space_fastest: bool = True
    """Whether no layer may have a larger vs than the half-space; modes end where they reach that of the half-space."""


class Layers(Config):
    """Keys that kinds of layering have in common; [smallest, largest] each."""

    n_layers: Annotated[tuple[int, int], within(1, 100)] = (4, 10)
    """Number of layers with the half-space; a water table within a layer parts it, which adds one."""
    thickness_m: Thickness = (0.5, 15.0)
    """Thickness of layers in m."""
    thickness_draw: Literal["log_uniform", "uniform"] = "log_uniform"
    """Distribution of the thickness."""
    thickening: bool = True
    """Whether layers are ordered by thickness, the thinnest on top: what surface waves resolve, too."""
    vs_m_s: Velocity = (80.0, 800.0)
    """Velocity of S waves in m/s, log-uniform, of layers above the half-space; kinds say what they change."""
    half_space_contrast: Annotated[Range, within(0.2, 20.0)] = (1.1, 2.0)
    """vs of the half-space over the largest of all layers above."""
    poisson: Poisson = (0.2, 0.45)
    """Poisson's ratio of each layer above the water table, uniform."""
    water_table_m: Annotated[Range, within(0.0, 1e5)] | None = None
    """Depth of the water table in m, uniform; below it vp is at least sqrt(1500^2 + 4/3 vs^2) m/s, so that Poisson's
    ratio of soil is near 0.49. None is dry ground."""
    density_kg_m3: Literal["gardner"] | Annotated[Range, within(500.0, 10_000.0)] | Positive = "gardner"
    """310 vp^0.25 (Gardner et al. 1974), at least 1500; or a range, uniform for each layer; or one value for all."""
    constraints: Constraints = Constraints()
    """What the medium must satisfy besides."""

    def _needs_layers(self, n: int) -> None:
        if self.n_layers[0] < n:
            raise ValueError(f"n_layers begins at {self.n_layers[0]}; this kind of layering needs at least {n}")


class NormalPrior(Layers):
    """Velocity increases with depth."""

    name: Literal["normal"] = "normal"


class LowVelocityPrior(Layers):
    """Velocity increases with depth, except in layers slower than both their neighbours."""

    name: Literal["low_velocity"] = "low_velocity"
    n_low: Annotated[tuple[int, int], within(1, 50)] = (1, 2)
    """Number of low-velocity layers; fewer where they would touch. The first layer and the half-space are none."""
    vs_drop: Annotated[Range, within(0.1, 0.99)] = (0.5, 0.85)
    """vs of a low-velocity layer over that of the layer above it, so that it may be below `vs_m_s`."""

    @model_validator(mode="after")
    def _has_room(self) -> LowVelocityPrior:
        self._needs_layers(3)
        return self


class StiffCrustPrior(Layers):
    """A stiff layer on top, such as pavement, dry clay or frozen ground; below it velocity increases with depth."""

    name: Literal["stiff_crust"] = "stiff_crust"
    crust_contrast: Annotated[Range, within(1.01, 50.0)] = (1.3, 3.0)
    """vs of the crust over that of the layer below it, so that it may be above `vs_m_s`."""
    crust_thickness_m: Thickness = (0.3, 3.0)
    """Thickness of the crust in m, log-uniform."""

    @model_validator(mode="after")
    def _has_room(self) -> StiffCrustPrior:
        self._needs_layers(3)
        return self


class Vs30ClassPrior(Layers):
    """Velocity increases with depth; all of it is scaled so that Vs30 is in a site class.

    Of `vs_m_s` only the ratio of its ends matters.
    """

    name: Literal["vs30_class"] = "vs30_class"
    standard: Literal["nehrp", "ec8"] = "nehrp"
    """NEHRP: A from 1500, B 760, C 360, D 180 m/s, E below. Eurocode 8: A from 800, B 360, C 180 m/s, D below."""
    classes: Annotated[tuple[Literal["A", "B", "C", "D", "E"], ...], Field(min_length=1)] = ("B", "C", "D")
    """Site classes, drawn equally often; within a class Vs30 is log-uniform, from 90 and to 2500 m/s."""

    @model_validator(mode="after")
    def _classes_have_a_range(self) -> Vs30ClassPrior:
        if missing := [name for name in self.classes if name not in SITE_CLASSES[self.standard]]:
            raise ValueError(
                f"class {missing[0]} of {self.standard} is no range of Vs30; write classes out of "
                f"{list(SITE_CLASSES[self.standard])}, or describe the layers by `name: normal`"
            )
        return self


class SeedPrior(Config):
    """The scheme of the first label generator for dispersion pickers, in its own keys and units, kept to compare.

    Thickness and vs are uniform, each sorted; both are multiplied by the same 1 + 0.05 N(0, 1), clipped to their
    bounds, then each value by 1 +- `fluctuation_percentage`; vp = 2 vs; the density is 1000 kg/m3 everywhere. The last
    layer is the half-space. So 1 in 4 media has a velocity inversion.
    """

    name: Literal["seed"] = "seed"
    layer_count: Annotated[int, Field(ge=1, le=100)] = 5
    """Number of layers with the half-space."""
    fluctuation_percentage: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Largest change of each value at the end, as a share of it and not in percent; uniform."""
    vs_bounds_kms: Annotated[Range, within(0.001, 10.0)] = (0.1, 1.1)
    """Range of vs in km/s."""
    thickness_bounds_km: Annotated[Range, within(1e-5, 100.0)] = (0.005, 0.07)
    """Range of the thickness in km."""
    modes: Annotated[int, Field(ge=1, le=100)] = 3
    """Number of modes that are labelled; it does not change the medium."""
    constraints: Constraints = Constraints(half_space_fastest=False)
    """What the medium must satisfy; nothing by default."""


LayeredPrior = Annotated[
    NormalPrior | LowVelocityPrior | StiffCrustPrior | Vs30ClassPrior | SeedPrior, Field(discriminator="name")
]


class WeightedPrior(Config):
    """One part of a mixture."""

    weight: Positive = 1.0
    """How often it is drawn, relative to the other parts."""
    prior: LayeredPrior
    """What media of this part are drawn from."""


class MixturePrior(Config):
    """Several kinds of layering, each drawn as often as its weight says, however many of its media are rejected."""

    name: Literal["mixture"] = "mixture"
    parts: Annotated[tuple[WeightedPrior, ...], Field(min_length=1)]
    """Kinds of layering with their weights."""


MediumPrior = Annotated[
    NormalPrior | LowVelocityPrior | StiffCrustPrior | Vs30ClassPrior | SeedPrior | MixturePrior,
    Field(discriminator="name"),
]
