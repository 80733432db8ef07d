"""The restoration room's recipe: which panels, what is done to them, the network, and how a file is restored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from seisloom.augment.augmentation import Augmentation
from seisloom.calibration.conformal import stored_level
from seisloom.config import Config, Paths, Preparation
from seisloom.errors import RecipeError
from seisloom.inference.lattice import Window
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.recipe import Entry, Recipe, SplitConfig
from seisloom.sample import Field as Axis
from seisloom.sample import Schema
from seisloom.signal.survey_scale import SurveyScale
from seisloom.tasks.restoration.patterns import known_pattern

PLACE = ("line", "trace", "time")
Goal = Literal["fill", "denoise"]


class SyntheticPanels(Config):
    """Panels that are made, without noise and without gaps."""

    kind: Literal["prestack", "poststack", "both"] = "prestack"
    """Gathers by rays, sections of folded and faulted layers, or one after the other in turn."""
    shape: tuple[int, int, int] = (1, 64, 256)
    """Lines, traces and samples; gathers have one line."""
    n: int = Field(4000, ge=1)
    """Number of panels; each is made anew from its number whenever it is read."""
    first: int = Field(0, ge=0)
    """Number of the first one, so that another set shares none with this one."""
    gathers: GatherPriors = GatherPriors()
    """What gathers are drawn from."""
    sections: VolumePriors = VolumePriors()
    """What sections are drawn from; their noise is left out."""

    @model_validator(mode="after")
    def _one_line(self) -> SyntheticPanels:
        if self.kind != "poststack" and self.shape[0] != 1:
            raise ValueError(f"shape: a gather has one line, and {self.shape[0]} are asked for; say kind: poststack")
        return self


class RestorationData(Config):
    """What is read: files with gathers, sections or cubes, or, where none is given, what is made."""

    root: Annotated[str | None, Paths()] = None
    """A file, or a folder of files, taken for truth; SEG-Y, SU, SEG-2, .npy or a volume in any format. Dead traces in
    them are not known. Volumes are read by boxes of `crop`, aligned with their chunks."""
    synth: SyntheticPanels = SyntheticPanels()
    """What is made where no file is given."""
    crop: tuple[int, int, int] | None = None
    """Lines, traces and samples of a training item, at a place drawn anew each epoch; a smaller panel is padded with
    dead traces that nobody knows. None takes panels whole."""
    block: int = Field(8, ge=1)
    """Panels of a file that follow each other and are never parted: neighbouring shots are near copies."""


class RestorationCalibrate(Config):
    """How errors of held-out panels become intervals."""

    level: float = Field(0.9, gt=0, lt=1)
    """Share of true samples that the intervals are to cover: 0.5, 0.8, 0.9 or 0.95."""
    min_n: int = Field(20, ge=1)
    """Fewest panels that know of a group of traces; one with fewer takes the intervals of all traces together."""

    _stored_level = field_validator("level")(stored_level)


class RestorationApply(Config):
    """How a file is restored."""

    goal: Goal = "fill"
    """fill: dead traces are made, live ones come back bit by bit. denoise: every trace is replaced by the estimate of
    what it would be without noise, dead ones too."""
    panels: str = "auto"
    """How the traces of a file make panels: file (all together), shot, cdp (ensemble), or a number of traces. auto
    takes shots where a file has several of more than one trace, else all together."""
    dead: tuple[int, ...] = ()
    """Traces that are dead besides those that are all zero or constant: their numbers in the file, from 1."""
    live: tuple[int, ...] = ()
    """Traces that are live although they are all zero: they stay as they are."""
    uncertainty: bool = False
    """Whether half the width of each sample's interval, in the unit of the samples, is written to a second file;
    without a calibration it comes from hidden traces of the panel itself."""
    hidings: int = Field(3, ge=1)
    """How often live traces are hidden and filled again, where a method finds its parameters or its intervals so."""
    hide: tuple[str, ...] = ("irregular 50", "regular 2", "gap 5")
    """What `evaluate` and `calibrate` hide of panels that come without truth: irregular, jittered, regular, gap or
    edge, and the per cent that is missing, for jittered and regular one live trace of so many."""
    hide_seeds: int = Field(3, ge=1)
    """How often each of them is drawn."""
    batch_size: int | None = Field(None, ge=1)
    """Tiles of a volume that go through the network at once; it decides the last bit of a result."""
    threads: int | None = Field(None, ge=1)
    """Threads of torch in each worker of a volume; they too decide the last bit."""
    tile: tuple[int, ...] | None = None
    """Lines, traces and samples of a tile; of a 2-D network traces and samples. None takes a panel whole, and of a
    volume 64 traces along each axis with all their samples."""
    overlap: float = Field(0.25, ge=0, lt=1)
    """Share of a tile by which neighbours overlap."""
    window: Window = "cosine"
    """Weight of a tile from its middle to its edge: cosine, gaussian or flat."""

    @field_validator("dead", "live", "tile", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:  # Any: not yet validated
        """Take 3,7 as the command line says it."""
        return tuple(str(given).replace(",", " ").split()) if isinstance(given, str | int) else given

    @field_validator("hide", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:  # Any: not yet validated
        return tuple(one.strip() for one in given.split(",")) if isinstance(given, str) else given

    @field_validator("hide")
    @classmethod
    def _patterns(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known_pattern(one) for one in given)

    @field_validator("panels", mode="before")
    @classmethod
    def _panels(cls, given: Any) -> Any:  # Any: not yet validated
        word = str(given)
        if word not in ("auto", "file", "shot", "cdp") and not (word.isdigit() and int(word) > 0):
            raise ValueError(f"panels are auto, file, shot, cdp or a number of traces, not {word!r}")
        return word

    @model_validator(mode="after")
    def _dead_or_live(self) -> RestorationApply:
        if both := sorted(set(self.dead) & set(self.live)):
            raise ValueError(f"traces {', '.join(map(str, both))} are given as dead and as live")
        return self


class RestorationRecipe(Recipe):
    """From panels without gaps and noise to a network that makes them of panels with both."""

    aliases: ClassVar[Mapping[str, str]] = {
        **Recipe.aliases,
        **{name: f"apply.{name}" for name in ("goal", "panels", "dead", "live", "uncertainty")},
    }
    questions: ClassVar[tuple[str, ...]] = (
        "data.root", "data.synth.kind", "data.synth.shape", "data.synth.n", "data.crop", "model.name", "model.dims",
        "model.preset", "train.epochs", "train.batch_size", "train.lr", "train.init_from", "apply.goal",
    )  # fmt: skip

    task: Literal["restoration"] = "restoration"
    """The room."""
    data: RestorationData = RestorationData()
    """Panels."""
    split: SplitConfig = SplitConfig(by=("panel",))
    """How they are parted; a group `panel` is a made panel, or a block of neighbouring ones of a file."""
    prepare: tuple[Annotated[Preparation, Entry("preparations")], ...] = (SurveyScale(clip=None),)
    """How amplitudes are brought to one scale: survey_scale alone, which does not clip here."""
    corrupt: tuple[Annotated[Augmentation, Entry("augmentations")], ...] = ()
    """What makes an input of a panel: gaps and noise. In training drawn anew each epoch, elsewhere by the panel's key
    alone."""
    calibrate: RestorationCalibrate = RestorationCalibrate()
    """Intervals."""
    apply: RestorationApply = RestorationApply()
    """Files."""

    @model_validator(mode="after")
    def _one_scale(self) -> RestorationRecipe:
        if len(self.prepare) != 1 or not isinstance(self.prepare[0], SurveyScale) or self.prepare[0].clip is not None:
            raise ValueError("prepare: give survey_scale alone, with clip: null: what is clipped cannot be restored")
        return self

    @model_validator(mode="after")
    def _can_denoise(self) -> RestorationRecipe:
        if self.apply.goal == "denoise" and getattr(self.model, "keeps_live", False):
            raise ValueError(
                f"apply.goal: model {self.model.name} gives live traces back as they came, noise and all; train one "
                "with model.keeps_live=false, or denoising_unet"
            )
        return self

    @property
    def scale(self) -> SurveyScale:
        """How amplitudes of a panel are brought to one scale."""
        one: Preparation = self.prepare[0]
        if not isinstance(one, SurveyScale):
            raise RecipeError(f"prepare: {one.name} is not survey_scale")
        return one


SAMPLE = Schema(
    (
        Axis("clean", PLACE, doc="amplitudes without noise and gaps", label="amplitude"),
        Axis("known", PLACE[:2], doc="1 where a trace is known, 0 where the source itself has none"),
        Axis("offset_m", PLACE[:2], unit="m", doc="from source to receiver; NaN unknown"),
        Axis("fs_hz", (), "float64", "Hz", "sampling rate; NaN unknown"),
    )
)
"""A stored panel."""
ITEM = Schema(
    (
        Axis("x", PLACE, doc="what is given, on one scale; 0 in dead traces"),
        Axis("live", PLACE[:2], doc="1 where a trace is given, 0 where it is to be made"),
        Axis("clean", PLACE, doc="truth on the scale of x", label="amplitude"),
        Axis("known", PLACE[:2], doc="1 where the truth is known"),
        Axis("offset_m", PLACE[:2], unit="m", doc="NaN unknown"),
        Axis("fs_hz", (), "float64", "Hz", "NaN unknown"),
        Axis(
            "guess",
            PLACE,
            doc="what a method makes of x, for networks that begin from it",
            label="amplitude",
            optional=True,
        ),
    )
)
OUTPUT = Schema((Axis("clean", PLACE, doc="estimate of the truth, on the scale of x"),))
