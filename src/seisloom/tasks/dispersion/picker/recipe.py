"""The picker's recipe: which records, how curves are calibrated, and how a field gather becomes curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from seisloom.calibration.conformal import stored_level
from seisloom.config import Config
from seisloom.recipe import Recipe
from seisloom.sample import Field as Axis
from seisloom.sample import Schema
from seisloom.tasks.dispersion.blocks import DispersionData, Simulation
from seisloom.tasks.dispersion.field.geometry import Side


class DispersionShards(Config):
    """How records are stored in tar files."""

    shard_size: int = Field(1000, ge=1)
    """Most records in one tar."""


class DispersionCalibrate(Config):
    """How errors of held-out media become intervals, for each mode by itself."""

    level: float = Field(0.9, gt=0, lt=1)
    """Share of true velocities that the intervals in tables are to cover: 0.5, 0.8, 0.9 or 0.95."""
    min_n: int = Field(300, ge=1)
    """Fewest picks of a mode; one with fewer takes the intervals of all modes together."""

    _stored_level = field_validator("level")(stored_level)


class DispersionApply(Config):
    """How a gather becomes a spectrum, and which picks are kept."""

    dx_m: float | None = Field(None, gt=0)
    """Distance between neighbouring receivers in m, where headers do not say offsets."""
    first_offset_m: float | None = None
    """Distance from the shot to the first trace in m, where headers do not say it."""
    interval_s: float | None = Field(None, gt=0)
    """Time between samples in s, where the file does not say it."""
    shot: int | None = None
    """Number of the shot, where a file has several."""
    side: Side | None = None
    """before or behind: traces on this side of a shot within the spread."""
    override: bool = False
    """Take what is given here where headers say otherwise."""
    min_hz: float | None = Field(None, gt=0)
    """Lowest frequency in Hz; None is that of `data.frequency`, or one period in the record."""
    max_hz: float | None = Field(None, gt=0)
    """Highest frequency in Hz; None is that of `data.frequency`, or half the sampling rate."""
    context: float = Field(2.0, ge=1)
    """A network looks at a gather from the lowest frequency over this to the highest one times this, as far as the
    record goes: at the end of a spectrum a curve is told worse than within it. No pick there is kept; 1 looks no
    farther. Classical pickers see what is asked for alone."""
    min_m_s: float | None = Field(None, gt=0)
    """Lowest velocity in m/s; None is that of `data.phase_velocity`."""
    max_m_s: float | None = Field(None, gt=0)
    """Highest velocity in m/s; None is that of `data.phase_velocity`."""
    transform: str | None = None
    """From the gather to the spectrum; None is that of `data.simulation`, which the network knows."""
    modes: int | None = Field(None, ge=1)
    """Keep the first so many modes; None keeps all."""
    fit: bool = True
    """Whether the velocities of a network's modes are fitted to the spectra of the traces themselves, where a record
    has these: a spectrum shows modes apart from each other as far as the array parts them, the traces know better."""
    min_probability: float = Field(0.5, ge=0, le=1)
    """A pick is abstained from where the mode is less probably to be seen."""
    abstain_width: float | None = Field(None, gt=0)
    """A pick is abstained from where half its interval is a larger share of its velocity; None keeps it."""
    apart: float | None = Field(0.05, gt=0)
    """Of two modes that are picked nearer to each other than this share of their velocity the less probable one is
    abstained from: it is rather the other mode again than one of its own. None keeps both."""
    longest: float | None = Field(None, gt=0)
    """A pick is abstained from where its wavelength is longer than so many lengths of the array; None keeps it."""
    batch_size: int = Field(8, ge=1)
    """Spectra that run together."""

    @field_validator("transform")
    @classmethod
    def _is_for_shots(cls, name: str | None) -> str | None:
        return None if name is None else Simulation(transform=name).transform

    @model_validator(mode="after")
    def _ascends(self) -> DispersionApply:
        for low, high, name in ((self.min_hz, self.max_hz, "hz"), (self.min_m_s, self.max_m_s, "m_s")):
            if low is not None and high is not None and low >= high:
                raise ValueError(f"min_{name} {low:g} must be below max_{name} {high:g}")
        return self


class DispersionRecipe(Recipe):
    """From records with known curves to a calibrated picker of modes."""

    aliases: ClassVar[Mapping[str, str]] = {
        **Recipe.aliases,
        "apply.dx": "apply.dx_m",
        "apply.first_offset": "apply.first_offset_m",
        "apply.dt": "apply.interval_s",
    }
    questions: ClassVar[tuple[str, ...]] = (
        "data.root", "data.n", "model.name", "train.epochs", "train.batch_size", "train.lr", "train.init_from",
        "calibrate.level", "apply.min_probability",
    )  # fmt: skip

    task: Literal["dispersion"] = "dispersion"
    """The room."""
    data: DispersionData = DispersionData()
    """Records."""
    shards: DispersionShards = DispersionShards()
    """Tar files."""
    calibrate: DispersionCalibrate = DispersionCalibrate()
    """Intervals."""
    apply: DispersionApply = DispersionApply()
    """Field gathers."""


SAMPLE = Schema(
    (
        Axis("spectrum", ("velocity", "frequency"), "float16", doc="0 to 1"),
        Axis("freq", ("frequency",), "float64", "Hz"),
        Axis("phase_velocity", ("velocity",), "float64", "m/s"),
        Axis("curves", ("mode", "frequency"), "float32", "m/s", "NaN where a mode does not exist", label="curve"),
        Axis("visible", ("mode", "frequency"), "int8", doc="1 in the window, excited and heard", label="mask"),
        Axis("resolved", ("mode", "frequency"), "int8", doc="1 parted from all other modes by the array", label="mask"),
        Axis("array", ("property",), "float32", "m", "see ITEM: length, least spacing, mean offset, mean spacing"),
    )
)
"""A stored record, without what only its maker needs."""
ITEM = Schema(
    (
        Axis("x", ("channel", "velocity", "frequency"), doc="spectrum, 0 to 1, both axes at equal ratios"),
        Axis("curves", ("mode", "frequency"), unit="m/s", doc="NaN where a mode does not exist", label="curve"),
        Axis("visible", ("mode", "frequency"), "int8", doc="1 in the window, excited and heard", label="mask"),
        Axis("velocity_m_s", ("velocity",), unit="m/s"),
        Axis("frequency_hz", ("frequency",), unit="Hz"),
        Axis("array", ("property",), unit="m", doc="length, least spacing, mean offset, mean spacing; NaN unknown"),
    )
)
OUTPUT = Schema(
    (
        Axis("velocity", ("mode", "frequency"), "float32", "m/s", "where the mode is"),
        Axis("log_sigma", ("mode", "frequency"), "float32", doc="natural logarithm of the spread of ln velocity"),
        Axis("presence", ("mode", "frequency"), "float32", doc="logit of the probability that the mode is to be seen"),
    )
)
