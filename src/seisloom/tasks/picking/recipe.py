"""The picking room's recipe: what is read, how windows are cut, calibrated and applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from seisloom.config import Config, Paths
from seisloom.recipe import Recipe
from seisloom.sample import Field as Axis
from seisloom.sample import Schema

WinMode = Literal["pick", "center", "none", "fixed"]
NegMode = Literal["random", "leading", "trailing"]
Gathering = Literal["shot", "station", "none"]


class PickingData(Config):
    """What is read: a survey in the ML-feed layout with its manifests."""

    root: Annotated[str | None, Paths()] = None
    """Folder with `geometries/` and their manifests: the survey's, or the one that `manifest build --out` wrote.
    `${SEISLOOM_DATA}` is filled in."""
    geometries: tuple[str, ...] = ()
    """Geometries to use; empty takes all."""
    pick_shift_s: Mapping[str, float] = {}
    """Added to the picks of a geometry, in s, e.g. {LINE: -0.0017}: brings lines whose picks follow another convention
    (the first trough, say) to the onset. Calibration and scores then refer to the shifted picks."""
    gather: tuple[Gathering, ...] = Field(("shot",), min_length=1)
    """Which traces are seen together: those of a shot over the stations, of a station over the shots, or none. Several
    are all used in training; the first is used for validation, calibration and evaluation."""
    gather_size: int = Field(64, ge=1)
    """Most traces seen together; longer gathers are parted evenly."""
    crop_s: float | None = Field(None, gt=0)
    """Length in s that a training item is cropped to, at a place drawn anew each epoch; None takes the whole window."""
    crop_anywhere: float = Field(0.1, ge=0, le=1)
    """Share of the crops that are drawn from the whole window, so that some hold no onset; the others hold one."""

    @field_validator("geometries", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:  # Any: not yet validated
        """Take A,B as the command line says it."""
        return tuple(names.replace(",", " ").split()) if isinstance(names, str) else names


class PickingShards(Config):
    """How windows are cut and stored. Times in s, after the shot."""

    no_bytes: ClassVar[tuple[str, ...]] = ("plots_pos", "plots_neg")
    """Keys that change no byte of a shard."""

    win_mode: WinMode = "fixed"
    """pick: around the pick; center: the middle of the record; none: the whole record; fixed: from win_start_s."""
    pre_s: float = Field(2.0, ge=0)
    """pick, center: s before the centre of the window."""
    post_s: float = Field(3.0, gt=0)
    """pick, center: s after the centre of the window."""
    win_start_s: float = 0.0
    """fixed: start in s after the shot."""
    win_len_s: float = Field(10.0, gt=0)
    """fixed: length in s; where the record ends before, the rest is zero."""
    jitter_s: float | None = Field(None, ge=0)
    """pick: the pick is moved by up to so many s off its place; None takes 0.8 of the shorter side. With 0, a constant
    prediction is perfect."""
    target_len: int | None = Field(None, ge=1)
    """Samples stored a window; None takes the window's own length. Shorter ones are followed by zeros, longer cut."""
    target_fs: float | None = Field(None, gt=0)
    """Sampling rate in Hz that records are brought to before all else; None keeps theirs."""
    pos_win_s: float = Field(0.04, ge=0)
    """Half-width in s of the mask `y_mask` around the pick."""
    shard_size: int = Field(10_000, ge=1)
    """Most samples in one tar."""
    neg_mode: NegMode = "random"
    """Where windows of noise lie: at random, at the beginning (leading), or at the end (trailing) of the quiet part."""
    neg_k: int = Field(1, ge=0)
    """Windows of noise that are tried for each trace that has a quiet part."""
    neg_stalta_thresh: float = Field(2.0, gt=0)
    """A window whose largest STA/LTA is above is not called noise."""
    neg_sta_s: float = Field(0.10, gt=0)
    """Short window of that STA/LTA in s."""
    neg_lta_s: float = Field(2.0, gt=0)
    """Long window of that STA/LTA in s; at most half of the noise window is used."""
    neg_stalta_max_tries: int = Field(3, ge=1)
    """Places that are tried for a window of noise (random), before the trace is left out."""
    neg_to_pos_max: float = Field(0.5, ge=0)
    """Most windows of noise for each picked window, in each station."""
    plots_pos: int = Field(0, ge=0)
    """Pictures of picked samples that `shards write` draws in each geometry."""
    plots_neg: int = Field(0, ge=0)
    """Pictures of noise samples that `shards write` draws in each geometry."""


class PickingCalibrate(Config):
    """How errors of held-out groups become intervals."""

    level: float = Field(0.9, gt=0, lt=1)
    """Share of onsets that the intervals in tables are to cover: 0.5, 0.8, 0.9 or 0.95."""
    folds: int = Field(4, ge=0, le=20)
    """Where fewer than 9 groups are held out to calibrate, every group is scored by a model trained without it, in so
    many folds (cross-conformal), each a training; 0 for none."""
    snr_bins: int = Field(1, ge=1)
    """Bins of signal-to-noise ratio that are calibrated apart (Mondrian)."""
    min_bin: int = Field(100, ge=1)
    """Fewest picks of a bin; smaller ones are joined."""

    @model_validator(mode="after")
    def _stored_level(self) -> PickingCalibrate:
        if self.level not in (0.5, 0.8, 0.9, 0.95):
            raise ValueError(f"level must be 0.5, 0.8, 0.9 or 0.95, it is {self.level:g}")
        return self


class PickingApply(Config):
    """How whole records are picked, and when not."""

    window_s: float | None = Field(None, gt=0)
    """Length in s of the windows that a record is cut into; None takes records up to `max_s` whole."""
    max_s: float = Field(4.0, gt=0)
    """Longest record in s that is taken whole where window_s is None; longer ones go by windows of this length."""
    overlap: float = Field(0.5, ge=0, lt=1)
    """Share by which neighbouring windows overlap."""
    n_shifts: int = Field(1, ge=1)
    """Views of each record, each shown a little later, whose picks are averaged: n times the work, steadier picks."""
    batch_size: int = Field(4, ge=1)
    """Windows that run together; part of the plan, since a convolution's last bit depends on it."""
    abstain_width_s: float | None = Field(None, gt=0)
    """A pick whose half-width q * sigma is larger is abstained from."""
    min_snr_db: float | None = None
    """A pick with a lower signal-to-noise ratio is abstained from."""
    min_probability: float | None = Field(0.5, ge=0, le=1)
    """A trace on which an onset is less probable is abstained from."""
    false_alarm_rate: float | None = Field(None, gt=0, le=1)
    """Accepted share of noise that is picked: some traces of each file are also shown with their phases drawn anew,
    and a trace is abstained from whose pick is no surer than those on such noise. What is abstained from may so depend
    on the other traces of the file. None or 1 checks nothing."""
    snr_signal_s: float = Field(0.02, gt=0)
    """Length in s of the signal window of the SNR, from the pick on."""
    snr_noise_s: float = Field(0.02, gt=0)
    """Length in s of the noise window of the SNR, up to the pick."""
    score_sample_s: float | None = Field(None, gt=0)
    """Sample in s that errors are counted in when scored; None takes the interval of each record."""


class PickingRecipe(Recipe):
    """From a survey with picks to a calibrated picker."""

    aliases: ClassVar[Mapping[str, str]] = {
        **Recipe.aliases,
        **{name: f"shards.{name}" for name in PickingShards.model_fields},
        "geom": "data.geometries",
        "window_size": "model.window_size",
        "num_heads": "model.num_heads",
        "abstain_width_s": "apply.abstain_width_s",
    }
    questions: ClassVar[tuple[str, ...]] = (
        "data.root", "data.geometries", "split.by", "shards.win_len_s", "shards.target_fs", "model.name",
        "train.epochs", "train.batch_size", "train.lr", "train.init_from", "calibrate.level", "calibrate.folds",
        "apply.false_alarm_rate",
    )  # fmt: skip

    data: PickingData = PickingData()
    """The survey."""
    shards: PickingShards = PickingShards()
    """Windows."""
    calibrate: PickingCalibrate = PickingCalibrate()
    """Intervals."""
    apply: PickingApply = PickingApply()
    """Whole records."""


SAMPLE = Schema(
    (
        Axis("x", ("channel", "time"), doc="prepared record in the window"),
        Axis("y_mask", ("time",), "int8", doc="1 within pos_win_s of the pick", label="mask"),
        Axis("has_pick", (), "int8", doc="1 picked, 0 no onset, -1 nobody knows", label="class"),
        Axis("y_idx", (), "float32", "sample", "place of the pick in the window; -1 without", label="point"),
        Axis("y_sigma_s", (), "float32", "s", "the picker's own uncertainty; NaN unknown"),
        Axis("fs", (), "float32", "Hz", "sampling rate of x"),
        Axis("t0_s", (), "float32", "s", "time of the first sample after the shot"),
        Axis("offset_m", (), "float32", "m", "distance from source to receiver; NaN unknown"),
    )
)
ITEM = Schema(
    (
        Axis("x", ("trace", "channel", "time"), doc="prepared records of a gather"),
        Axis("has_pick", ("trace",), "int8", doc="1 picked, 0 no onset, -1 nobody knows", label="class"),
        Axis("y_idx", ("trace",), "float32", "sample", "place of the pick in the window; -1 without", label="point"),
        Axis("fs", (), "float32", "Hz", "sampling rate of x"),
        Axis("t0_s", ("trace",), "float32", "s", "time of the first sample after the shot"),
        Axis("offset_m", ("trace",), "float32", "m", "distance from source to receiver; NaN unknown"),
    )
)
OUTPUT = Schema(
    (
        Axis("mean", ("trace",), "float32", "sample", "expected place of the onset in the window"),
        Axis("log_sigma", ("trace",), "float32", doc="natural logarithm of its spread in samples"),
        Axis("presence", ("trace",), "float32", doc="logit of the probability that there is an onset in the window"),
    )
)
