"""The classification room's recipe: which records are read, which classes they have, and how windows are cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from seisloom.calibration.conformal import LEVELS
from seisloom.config import Config, Paths
from seisloom.physics.events import EventPriors, Kind
from seisloom.recipe import Hint, Json, Recipe
from seisloom.sample import Field as Axis
from seisloom.sample import Schema
from seisloom.split import DealtSplit
from seisloom.tasks.classification.setup import hint_for, with_representation
from seisloom.tasks.classification.words import class_map, listed, with_test_ratio, with_transforms

NOISE, EVENT, BEHIND = "noise", "event", "behind"
"""Labels of the windows of `data.noise_before_s` and `data.behind_s`; an event that its catalogue gives a class keeps
that."""


class SyntheticEvents(Config):
    """Events that are made, not read."""

    n_events: int = Field(600, ge=1)
    """Number of events; each record is made anew from its seed whenever it is read."""
    first: int = Field(0, ge=0)
    """Number of the first one, so that another set shares none with this one."""
    stations: int = Field(3, ge=1)
    """Stations that record an event."""
    classes: tuple[Kind, ...] = Field(("earthquake", "explosion", "noise"), min_length=1)
    """What is made, in turns: earthquake, explosion (quarry blasts), noise."""
    priors: EventPriors = EventPriors()
    """What is drawn: sources, ground, stations, noise."""

    @field_validator("classes", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:  # Any: not yet validated
        """Take A,B as the command line says it."""
        return listed(names)

    @model_validator(mode="after")
    def _enough_stations(self) -> SyntheticEvents:
        if self.stations > self.priors.n_stations:
            raise ValueError(f"stations {self.stations} is more than the network has (priors.n_stations)")
        return self


class ClassificationData(Config):
    """What is read: records of events with their classes, in catalogues; or, where none is given, what is made."""

    paths: Annotated[tuple[str, ...], Paths()] = ()
    """Folders with a `manifest.csv` (or SeisBench's `metadata.csv`, or a QuakeML file), or such files themselves.
    `${SEISLOOM_DATA}` is filled in; without any, or where it is not set, events are synthetic (`synth`). Pickled events
    are brought in with `seisloom convert`."""
    synth: SyntheticEvents = SyntheticEvents()
    """What is made where no catalogue is given."""
    label: str | None = "label"
    """Column of the class; null where there is none, for noise against event or to apply."""
    event: str = "event_id"
    """Column of the event."""
    station: str = "nslc"
    """Column of NETWORK.STATION.LOCATION.CHANNEL."""
    time: str = "starttime"
    """Column of the UTC time of the first sample."""
    pick: str | None = None
    """Column of the onset: a number is s after the first sample, a time is UTC."""
    pick_s: float | None = Field(None, ge=0)
    """Onset in s after the first sample, the same in all records whose catalogue has none."""
    classes: Mapping[str, tuple[str, ...]] = {}
    """Classes in their order, each with the labels that are merged into it: {slide: [landslide, rock slide], fall:
    [rock fall]}; a list of labels takes each as it is. Records of other labels are left out. Empty takes all labels."""
    channels: tuple[str, ...] = Field(("Z", "N", "E"), min_length=1)
    """Components in their order; 1 and 2 stand for N and E where these are not there, which is noted."""
    missing: Literal["leave_out", "zero"] = "leave_out"
    """What becomes of a record that lacks one of the components: it is left out, or the component is zero."""
    sampling_rate_hz: float | None = Field(None, gt=0)
    """Rate that all records are brought to, with an anti-alias filter; None keeps theirs, which must then be one."""
    strict: bool = False
    """Whether records of another rate are refused instead."""
    window_s: float = Field(60.0, gt=0)
    """Length in s of the window that a network sees; what a record does not have of it is masked."""
    before_s: float = Field(10.0, ge=0)
    """How long before the onset the window begins, in s; without an onset it lies in the middle of the record."""
    shift_s: float = Field(0.0, ge=0)
    """Windows are stored so many s longer at both ends, and cropped in training at a place drawn anew each epoch."""
    trim: Literal["pick", "shortest"] = "pick"
    """pick: the window around the onset; shortest: each record from its first sample to the length of the shortest, as
    in older scripts, where one short record shortens all."""
    noise_before_s: float | None = Field(None, gt=0)
    """Until so many s after its first sample each record holds noise alone: a window of it, which ends there, is
    planned beside the one around the onset, with the class noise. Events without a class are then called event."""
    behind_s: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Windows that begin so many s behind the onset are planned too, with the class behind: S waves and coda, which a
    window that is to hold an onset may be taken for. Events without a class are then called event."""
    gaps: Literal["mask", "drop"] = "mask"
    """mask: samples that were not recorded are 0 and masked; drop: they are taken out and the rest moves up, as in
    older scripts, so that times behind a gap are wrong."""
    min_real: float = Field(0.5, ge=0, le=1)
    """Share of a window that must be recorded; others are left out."""
    snr_signal_s: float = Field(5.0, gt=0)
    """Length in s of the signal window of the SNR, from the onset on."""
    snr_noise_s: float = Field(5.0, gt=0)
    """Length in s of the noise window of the SNR, up to the onset."""

    @property
    def has_parts(self) -> bool:
        """Whether a record has windows beside the one around its onset."""
        return self.noise_before_s is not None or bool(self.behind_s)

    def labels_beside(self) -> tuple[str, ...]:
        """Return the labels of the windows of a record beside the one around its onset."""
        return (NOISE,) * (self.noise_before_s is not None) + (BEHIND,) * len(self.behind_s)

    @field_validator("paths", mode="before")
    @classmethod
    def _one_path(cls, paths: Any) -> Any:  # Any: not yet validated
        """Take one path as it is: it may have blanks and commas."""
        return (paths,) if isinstance(paths, str) else paths

    @field_validator("channels", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:  # Any: not yet validated
        """Take Z,N,E as the command line says it."""
        return listed(names)

    @field_validator("channels")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.upper() for name in names)
        if len(set(names)) != len(names):
            raise ValueError(f"each component once, not {', '.join(names)}")
        return names

    @field_validator("classes", mode="before")
    @classmethod
    def _mapped(cls, classes: Any) -> Any:  # Any: not yet validated
        """Take a list of labels for classes of one label each."""
        return class_map(classes)

    @field_validator("classes")
    @classmethod
    def _apart(cls, classes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        owner: dict[str, str] = {}
        for name, labels in classes.items():
            for label in labels:
                if owner.setdefault(label, name) != name:
                    raise ValueError(f"label {label!r} is in {owner[label]!r} and in {name!r}; it is of one class")
        if len(classes) == 1:
            raise ValueError(f"one class, {next(iter(classes))!r}: there is nothing to tell apart. Give two or more")
        return classes

    @model_validator(mode="after")
    def _fitting(self) -> ClassificationData:
        if self.before_s > self.window_s:
            raise ValueError(f"before_s {self.before_s:g} is longer than window_s {self.window_s:g}: no onset is seen")
        stored_s = self.window_s + 2 * self.shift_s
        if self.noise_before_s is not None and self.noise_before_s < stored_s:
            # A shorter one would be masked at its end, and the mask would tell what it is
            raise ValueError(
                f"noise_before_s {self.noise_before_s:g} is shorter than a window of {stored_s:g} s (window_s and "
                f"twice shift_s): set window_s to {self.noise_before_s - 2 * self.shift_s:g} or less"
            )
        if self.noise_before_s is not None and self.trim == "shortest":
            raise ValueError("noise_before_s cuts windows around onsets, and trim: shortest cuts none; choose one")
        if self.behind_s and self.trim == "shortest":
            raise ValueError("behind_s cuts windows behind onsets, and trim: shortest cuts none; choose one")
        if self.behind_s and min(self.behind_s) <= self.shift_s:
            raise ValueError(
                f"behind_s {min(self.behind_s):g} is not beyond shift_s {self.shift_s:g}: a crop could hold the onset"
            )
        if len(set(self.behind_s)) != len(self.behind_s):
            raise ValueError(f"behind_s: each once, not {', '.join(f'{one:g}' for one in self.behind_s)}")
        return self


class ClassificationShards(Config):
    """How samples are stored."""

    no_bytes: ClassVar[tuple[str, ...]] = ("shard_size",)
    """Keys that change no byte of a sample."""

    shard_size: int = Field(10_000, ge=1)
    """Most samples in one tar."""


class ClassificationCalibrate(Config):
    """How logits become probabilities, sets and answers."""

    folds: int = Field(0, ge=0)
    """Trainings without a fold of the events, from which all of them calibrate; 0 takes the calibration part alone."""
    level: float = Field(0.9, gt=0, lt=1)
    """Coverage of the prediction sets that are written: 0.5, 0.8, 0.9 or 0.95."""
    with_bias: bool = False
    """Whether each class is also shifted, for data whose classes are as common as in the calibration part."""
    by_class: bool = True
    """Whether each class gets sets of its own, where it has 20 events: a rare class is then covered as often."""
    decide: Literal["likeliest", "f1"] = "likeliest"
    """likeliest: the class with the largest probability is named; f1: probabilities are weighed first, class by class,
    such that macro-F1 of the held-out events is best. Where one class is rare, the likeliest is nearly always another.
    """
    max_risk: float | None = Field(None, gt=0, lt=1)
    """Share of wrong answers that is accepted; where no probability is sure enough nothing is answered. None always
    answers."""

    @field_validator("level")
    @classmethod
    def _stored(cls, level: float) -> float:
        if level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(f'{one:g}' for one in LEVELS)}, it is {level:g}")
        return level


class ClassificationApply(Config):
    """How records and streams are taken through the network."""

    overlap: float = Field(0.5, ge=0, lt=1)
    """Share by which windows that are slid over a stream overlap."""
    batch_size: int = Field(64, ge=1)
    """Windows that go through the network at once; it decides the last bit of a result."""
    min_probability: float = Field(0.0, ge=0, le=1)
    """Nothing is answered where the likeliest class has less."""
    share: float = Field(0.0, ge=0, le=1)
    """Share of its event in what is said of a record: 0 takes each station alone, 1 says of all what they say on
    average. It takes for granted that the catalogue put stations and events together rightly; streams have none."""
    vote: Literal["mean", "product"] = "mean"
    """How the stations of an event vote: mean of their probabilities, or their product."""
    rows: Literal["auto", "windows", "events"] = "auto"
    """What a table has a row for; auto: events for streams, else windows."""


class ClassificationRecipe(Recipe):
    """From catalogued records to calibrated probabilities of their classes."""

    aliases: ClassVar[Mapping[str, str]] = {
        **Recipe.aliases,
        **{name: f"data.{name}" for name in ("paths", "channels", "classes", "window_s", "before_s")},
        "test_ratio": "split.test",
        "split.test_ratio": "split.test",
        "sampling_rate": "data.sampling_rate_hz",
        "shard_size": "shards.shard_size",
    }
    questions: ClassVar[tuple[str, ...]] = (
        "data.paths", "data.synth.n_events", "data.label", "data.classes", "data.channels", "data.sampling_rate_hz",
        "data.pick_s", "data.window_s", "data.before_s", "split.by", "model.name", "train.epochs", "train.batch_size",
        "train.lr", "train.init_from",
    )  # fmt: skip

    data: ClassificationData = ClassificationData()
    """What is read."""
    split: DealtSplit = DealtSplit()
    """How it is parted: an event is never in two parts, or stations that recorded it would tell of it."""
    shards: ClassificationShards = ClassificationShards()
    """How samples are stored."""
    calibrate: ClassificationCalibrate = ClassificationCalibrate()
    """How logits become probabilities, sets and answers."""
    apply: ClassificationApply = ClassificationApply()
    """How records and streams are taken through the network."""

    @model_validator(mode="after")
    def _no_telling_groups(self) -> ClassificationRecipe:
        if self.apply.share > 0 and self.data.has_parts:
            # Which windows of an event are put together would tell which of them are noise
            raise ValueError(
                f"apply.share {self.apply.share:g}: with data.noise_before_s or data.behind_s an event has windows of "
                "several classes, and its stations cannot speak for each other; set apply.share to 0"
            )
        return self

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Json]) -> Hint | None:
        """Return what the room says with a question; see `seisloom.tasks.classification.setup`."""
        return hint_for(key, values)

    @classmethod
    def settle(cls, values: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return values in which windows are represented as the network takes them."""
        return with_representation(values)

    @model_validator(mode="before")
    @classmethod
    def _older_words(cls, values: Any) -> Any:  # Any: not yet validated
        """Take `transforms: DROP_NAN | TRIMMING | ZSCORE` and `test_ratio` of older scripts."""
        return with_transforms(with_test_ratio(values))


_X = Axis("x", ("channel", "time"), doc="prepared record in the window; 0 where it is masked")
_MASK = Axis("mask", ("time",), "int8", doc="1 where all components were recorded", label="mask")
_LABEL = Axis("label", (), "int64", doc="index of the class; -1 nobody knows", label="class")
_FS = Axis("fs", (), "float32", "Hz", "sampling rate of x")
# Named as in the picking room: augmentations move them together, and clear what leaves the window
_HAS_PICK = Axis("has_pick", (), "int8", doc="1 onset in the window, 0 noise, -1 nobody knows", label="class")
_PICK = Axis("y_idx", (), "float32", "sample", "place of the onset in the window; -1 without", label="point")
_SNR = Axis("snr_db", (), "float32", "dB", "of the onset on the first component; NaN without")
SAMPLE = Schema((_X, _MASK, _LABEL, _FS, _HAS_PICK, _PICK, _SNR))
_SHARES = Axis("label", ("class",), doc="share of each class, 1 for one; all -1 where nobody knows", label="class")
ITEM = Schema((_X, _MASK, _SHARES, _FS, _HAS_PICK, _PICK))
OUTPUT = Schema((Axis("logits", ("class",), doc="logarithms of the classes' probabilities, up to a constant"),))
