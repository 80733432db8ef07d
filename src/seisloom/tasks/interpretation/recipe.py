"""The interpretation room's recipe: what is read or synthesised, the network's tasks, and how volumes are tiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from seisloom.config import Config, Paths, Preparation
from seisloom.errors import RecipeError
from seisloom.inference.lattice import Window
from seisloom.physics.volumes.corruption import Corruption
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.recipe import Entry, Hint, Json, Recipe, SplitConfig
from seisloom.sample import Field as Axis
from seisloom.sample import Schema
from seisloom.signal.survey_scale import SurveyScale
from seisloom.tasks.interpretation.setup import check_sizes, hint_for, with_places, with_tasks

PLACE = ("inline", "crossline", "time")
UNITS = {"fault": "1", "dip": "degree", "strike": "degree", "rgt": "1", "dhr": "1"}
"""Attributes of the room and their units, in the order in which they are listed."""
SWITCHES = {"fault": ("fault", "dip", "strike"), "rgt": ("rgt",), "dhr": ("dhr",)}
"""Tasks of the network, and the attributes that each gives."""
Along = Literal["inline", "crossline", "both", "cube"]


class Synthetic(Config):
    """Volumes that are made, not read."""

    shape: tuple[int, int, int] = (1, 256, 256)
    """Samples along inline, crossline and time; an inline axis of 1 is a section."""
    n: int = Field(2000, ge=1)
    """Number of volumes; each is made anew from its seed whenever it is read."""
    first: int = Field(0, ge=0)
    """Number of the first one, so that another set shares none with this one."""
    priors: VolumePriors = VolumePriors()
    """What is drawn: styles of faults, layers, wavelets, noise."""
    corruption: Corruption = Corruption()
    """Errors of the first guess that a network learns to refine; no other network is given one."""


class InterpretationData(Config):
    """What is read: numbered raw cubes in folders, or, where no folder is given, what is synthesised."""

    root: Annotated[str | None, Paths()] = None
    """Folder with `data_train`, `target_train` and, where there are any, `data_valid`, `target_valid`."""
    data: Annotated[str | None, Paths()] = None
    """Folder of images that train, `0.bin`, `1.bin`, ...; beats `root`."""
    target: Annotated[str | None, Paths()] = None
    """Folder of their targets, `0_fsem.bin`, `0_rgt.bin`, ...; those that are not there are not known."""
    data_valid: Annotated[str | None, Paths()] = None
    """Folder of images that choose the model; then the split only parts the others."""
    target_valid: Annotated[str | None, Paths()] = None
    """Folder of their targets."""
    n1: int | None = Field(None, ge=1)
    """Samples of a cube along time or depth, the fastest in the file; None takes what the side-car says."""
    n2: int | None = Field(None, ge=1)
    """Crosslines of a cube."""
    n3: int | None = Field(None, ge=1)
    """Inlines of a cube; 1 or None with n1 and n2 for sections."""
    n_train: int | None = Field(None, ge=1)
    """Use so many cubes that train, the first ones; None takes all."""
    n_valid: int | None = Field(None, ge=1)
    """Use so many cubes of `data_valid`; None takes all."""
    angles: Literal["degree", "share"] | None = None
    """Unit of dip and strike in the targets: degrees, or shares of 180 degrees; null takes what their side-car says, or
    else tells by their largest value."""
    synth: Synthetic = Synthetic()
    """What is made where no folder is given."""
    first_network: Annotated[str | None, Paths()] = None
    """Bundle, by folder or shipped name, whose attributes a refiner is to make better: it then learns
    from what that network gives. None takes attributes with made errors, which differ from those of a network."""
    crop: tuple[int, int, int] | None = None
    """Samples along inline, crossline and time that a training item is cropped to, at a place drawn anew each epoch;
    None takes the whole sample, or a whole inline where the network sees sections."""


class InterpretationApply(Config):
    """How a volume is taken through the network."""

    attributes: tuple[str, ...] = ()
    """What is written: fault, dip, strike, rgt, dhr; empty writes all that the network gives."""
    patch: tuple[int, ...] | None = None
    """Samples of a tile: inline, crossline, time for a 3-D network; across and time for a 2-D one. None takes 128."""
    overlap: float = Field(0.25, ge=0, lt=1)
    """Share of a tile by which neighbours overlap."""
    window: Window = "cosine"
    """Weight of a tile from its middle to its edge: cosine, gaussian or flat."""
    batch_size: int | None = Field(None, ge=1)
    """Tiles that go through the network at once; it decides the last bit of a result. None takes 1, or what is measured
    to be fastest where a file takes long."""
    along: Along | None = None
    """What is seen of a volume: sections along inline or crossline, both (the surer fault, else the mean), or the cube
    itself. None takes what the network has dimensions for: the cube, or inline sections, and both if relative time is
    wanted."""
    views: int = Field(1, ge=1, le=4)
    """Views of each tile whose answers are averaged: 1 as it is, 2 also turned in polarity, 4 also mirrored
    laterally. So many times the work."""
    normals: Literal["network", "image"] = "network"
    """What dip and strike of a cube are told from: what the network says of them, or the direction in which its
    probability of faults changes most. Of a cube that is seen along both ways it is always the image."""
    throws: Literal["image", "network"] = "image"
    """What relative time across faults is told from: layers found again on the other side of a fault, or the network
    alone, which is faster by a quarter to a half on a CPU."""
    falls: bool = False
    """Let relative time fall along a trace, as it does where a reverse fault repeats layers; else every trace is
    brought to the nearest one that rises, for a throw told wrong makes time fall where no layer is repeated."""
    fill_dead: int = Field(3, ge=0)
    """Dead traces side by side that are filled from their neighbours before the network sees them, since it would take
    the gap for a fault; a wider gap is left."""
    coarser: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 1)
    """Every so many traces and samples of time are seen, for a survey that is sampled finer than what the network
    learnt from; what is found lies on the survey's own grid."""
    threshold: float = Field(0.5, gt=0, lt=1)
    """Fault probability from which on a voxel counts as fault, for dip and strike and in scores."""
    threads: int | None = Field(None, ge=1)
    """Threads of torch in each worker; with the tiles they decide the last bit of a result. None as with batch_size."""
    refine: Annotated[str | None, Paths()] = None
    """Bundle of a refiner, by folder or shipped name, which makes the attributes of each tile better; None for none."""
    iterations: int = Field(1, ge=1)
    """How often the refiner is applied, each time to what it gave before."""

    @model_validator(mode="before")
    @classmethod
    def _switched(cls, values: Any) -> Any:  # Any: not yet validated
        """Take switches fault, rgt and dhr, true or false, for the list of attributes."""
        if not isinstance(values, Mapping):
            return values
        rest = {name: value for name, value in values.items() if name not in SWITCHES}
        on = [name for name in SWITCHES if _is_on(values.get(name))]
        off = [name for name in SWITCHES if name in values and name not in on]
        if on or off:
            chosen = on or [name for name in SWITCHES if name not in off]
            if not chosen:
                raise ValueError("fault, rgt and dhr are all off, and nothing would be written")
            rest["attributes"] = tuple(one for name in chosen for one in SWITCHES[name])
        return rest

    @field_validator("patch", "coarser", mode="before")
    @classmethod
    def _numbers(cls, sizes: Any) -> Any:  # Any: not yet validated
        """Take 64,64 as the command line says it."""
        return tuple(sizes.replace(",", " ").split()) if isinstance(sizes, str) else sizes

    @field_validator("attributes", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:  # Any: not yet validated
        """Take fault,dip as the command line says it."""
        return tuple(names.replace(",", " ").split()) if isinstance(names, str) else names

    @field_validator("attributes")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in UNITS:
                raise ValueError(f"no attribute {name!r}; there are {', '.join(UNITS)}")
        return names

    @model_validator(mode="after")
    def _of_a_refiner(self) -> InterpretationApply:
        if self.iterations > 1 and self.refine is None:
            raise ValueError("iterations: nothing is refined; give refine=FOLDER, the bundle of a refiner, too")
        return self

    @field_validator("views")
    @classmethod
    def _paired(cls, value: int) -> int:
        if value == 3:
            raise ValueError("views are 1, 2 or 4: polarity and the lateral mirror double them")
        return value


def _is_on(value: Any) -> bool:  # Any: not yet validated
    word = str(value).lower()
    if word not in ("true", "y", "yes", "1", "false", "n", "no", "0", "none"):
        raise ValueError(f"fault, rgt and dhr are true or false, not {value!r}")
    return word in ("true", "y", "yes", "1")


class InterpretationCalibrate(Config):
    """How logits of held-out volumes become probabilities."""

    n_bins: int = Field(15, ge=2)
    """Bins of the reliability table."""


class InterpretationRecipe(Recipe):
    """From volumes with labels to a network that draws faults, times and a clean image."""

    aliases: ClassVar[Mapping[str, str]] = {
        **Recipe.aliases,
        "lr": "train.lr",
        "threads": "train.threads",
        "nodes": "train.num_nodes",
        "gpus": "train.devices",
        "gpus_per_node": "train.devices",
        "batch_train": "train.batch_size",
        **{name: f"train.{name}" for name in ("batch_valid", "resume", "check")},
        **{name: f"data.{name}" for name in ("data", "data_valid", "target_valid", "target", "n1", "n2", "n3")},
        "ntrain": "data.n_train",
        "nvalid": "data.n_valid",
        "dir_data_train": "data.data",
        "dir_target_train": "data.target",
        "dir_data_valid": "data.data_valid",
        "dir_target_valid": "data.target_valid",
        "attributes": "apply.attributes",
        **{name: f"apply.{name}" for name in ("patch", "overlap", "window", "along", "views", "threshold", "refine")},
    }

    questions: ClassVar[tuple[str, ...]] = (
        "data.root", "data.n1", "data.n2", "data.n3", "data.n_train", "data.n_valid", "model.name", "model.dims",
        "model.preset", "model.fault", "model.rgt", "model.dhr", "data.synth.shape", "data.synth.n", "data.crop",
        "train.epochs", "train.batch_size", "train.lr", "train.init_from",
    )  # fmt: skip

    split: SplitConfig = SplitConfig(by=("cube",), few="leave_out")
    """Which cubes train, choose the model, calibrate, and are scored."""
    data: InterpretationData = InterpretationData()
    """What is read or synthesised."""
    prepare: tuple[Annotated[Preparation, Entry("preparations")], ...] = (SurveyScale(),)
    """How amplitudes are brought to one scale: survey_scale alone."""
    calibrate: InterpretationCalibrate = InterpretationCalibrate()
    """How logits become probabilities."""
    apply: InterpretationApply = InterpretationApply()
    """How a volume is taken through the network."""

    @model_validator(mode="after")
    def _one_scale(self) -> InterpretationRecipe:
        if len(self.prepare) != 1 or not isinstance(self.prepare[0], SurveyScale):
            raise ValueError("prepare: a volume is prepared by numbers of its whole survey: give survey_scale alone")
        return self

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Json]) -> Hint | None:
        """Return what the room says with a question; see `seisloom.tasks.interpretation.setup`."""
        return hint_for(key, values)

    @classmethod
    def settle(cls, values: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return values with the loss terms and metrics of the tasks that are on, and data that the network can see."""
        check_sizes(values)
        return with_places(with_tasks(values, SWITCHES))

    def without_weights(self) -> InterpretationRecipe:
        """Return the recipe without a refiner: classical methods are measured by themselves."""
        plain = self.apply.model_copy(update={"refine": None, "iterations": 1})
        return self.model_copy(update={"apply": plain})

    @property
    def scale(self) -> SurveyScale:
        """How amplitudes of a survey are brought to one scale."""
        one: Preparation = self.prepare[0]
        if not isinstance(one, SurveyScale):
            raise RecipeError(f"prepare: {one.name} is not survey_scale")
        return one


def _given(name: str, axes: tuple[str, ...] = PLACE, *, unit: str = "1", doc: str) -> Axis:
    """Return what is there for some networks only: those that have the task, or that refine a first guess."""
    return Axis(name, axes, unit=unit, doc=doc, optional=True)


def _attributes(*, label: str | None) -> tuple[Axis, ...]:
    return (
        Axis("fault", PLACE, doc="1 on a fault, 0 off it, -1 nobody knows", label=label and "mask"),
        Axis("dip", PLACE, unit="degree", doc="of the fault plane, 0 to 180, see README; 0 off faults", label=label),
        Axis("strike", PLACE, unit="degree", doc="of the fault plane, 0 to 180; 0 off faults", label=label),
        Axis("rgt", PLACE, doc="relative geological time, about 0 to 1; NaN nobody knows", label=label),
        Axis("dhr", PLACE, doc="denoised high-resolution image on the scale of seismic; NaN nobody knows", label=label),
    )


SAMPLE = Schema(
    (
        Axis("seismic", PLACE, doc="amplitude"),
        *_attributes(label="dense"),
        _given("horizon", doc="number of a picked horizon, from 1, on its voxels, 0 off them; for loss equal_time"),
        _given("guess_fault", doc="first guess: mask or probability"),
        _given("guess_dip", unit="degree", doc="first guess, where guess_fault is not 0"),
        _given("guess_strike", unit="degree", doc="first guess, where guess_fault is not 0"),
        _given("guess_rgt", doc="first guess, of any rising scale"),
        _given("guess_dhr", doc="first guess, on the scale of seismic"),
    )
)
ITEM = Schema(
    (
        Axis("x", ("channel", *PLACE), doc="scaled amplitude"),
        *_attributes(label="dense"),
        _given("horizon", doc="number of a picked horizon, from 1, on its voxels, 0 off them; for loss equal_time"),
        _given("guess_fault", doc="first guess: logit"),
        _given("guess_normal", ("component", *PLACE), doc="first guess: depth, crossline, inline; of any length"),
        _given("guess_rgt_steps", ("axis", *PLACE), unit="sample", doc="first guess, steps along each axis"),
        _given("guess_dhr", doc="first guess, on the scale of x"),
    )
)
OUTPUT = Schema(
    (
        _given("fault", doc="logit of the probability of a fault"),
        Axis(
            "normal", ("component", *PLACE), doc="normal of a fault: depth, crossline, inline; of any length and sign"
        ),
        _given("rgt_steps", ("axis", *PLACE), unit="sample", doc="steps of relative time to the next sample"),
        _given("rgt", doc="their integral, relative time in samples, up to a constant of the item"),
        _given("dhr", doc="denoised high-resolution image on the scale of x"),
    )
)
