"""The Task record: a room is plain functions over two schemas. No base class.

A variant of a room is `dataclasses.replace(PICKING, ...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seisloom import plugins
from seisloom.errors import LeftOut, RecipeError
from seisloom.recipe import Recipe
from seisloom.sample import Array, Arrays, Predictor, Ref, Sample, Schema

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from seisloom.io.volumes.grid import Grid
    from seisloom.tiled import Tiled

R = TypeVar("R", bound=Recipe)
# A room chooses the types of its records, products and calibrations; the house only hands them on.
Record = Any
Product = Any
Calibration = Any
Report = Any


def as_it_is(recipe: R) -> R:
    """Return the recipe: its data decide nothing that it does not say."""
    return recipe


def all_of(records: Iterable[Record], picks: str | Path | None, shots: str | None) -> tuple[list[Record], list[Record]]:
    """Return all records, and none that are left.

    Raises:
        RecipeError: if picks or shots are given.
    """
    if picks is not None or shots is not None:
        raise RecipeError("--picks and --shots concern records of shots; these have none")
    return list(records), []


def as_they_are(recipe: Recipe, records: Iterable[Record]) -> Iterable[Record]:
    """Return the records: their truth comes with them, or there is none."""
    return records


def read_each(read: Callable[[R, Ref], Sample], recipe: R, refs: Sequence[Ref]) -> Iterator[Sample | LeftOut]:
    """Yield samples one by one, a LeftOut in the place of one that does not qualify: where together is no quicker."""
    for ref in refs:
        try:
            yield read(recipe, ref)
        except LeftOut as reason:
            yield reason


def always(path: Path) -> bool:
    """Return True: whatever it is, it is tiled."""
    return True


@dataclass(frozen=True, kw_only=True)
class Task(Generic[R]):
    """What a room can do. The order of the fields is the order of the flow."""

    name: str
    summary: str
    recipe: type[R]

    sample: Schema
    """Fields of one stored sample."""
    item: Schema
    """Fields of one item of a batch, without the axis `item`: what augmentations, networks and losses see."""
    output: Schema
    """Fields that a network returns for an item."""

    complete: Callable[[R], R] = as_it_is
    """A recipe with what its data decide, such as classes and the sampling rate: what a bundle then keeps."""
    plan: Callable[[R], Sequence[Ref]]
    """What there is, without reading it."""
    read: Callable[[R, Ref], Sample]
    """Read or synthesise one sample; raises LeftOut where it does not qualify. Shards are a cache of this."""
    read_many: Callable[[R, Sequence[Ref]], Iterable[Sample | LeftOut]]
    """The same for several, in order, where it is quicker together; a LeftOut stands in its sample's place."""
    shard: Callable[[Ref], str]
    """Name of the shard, without number and suffix, that a sample belongs to."""
    group: Callable[[R, Sequence[Ref], bool], Sequence[Sequence[Ref]]]
    """Which samples are seen together as one item, in training or not; for most rooms each alone."""
    join: Callable[[R, Sequence[Sample], np.random.Generator | None], Arrays]
    """The samples of one item as its arrays, cropped at a place drawn from the generator (None: a fixed place)."""

    noun: str = "records"
    """What a user calls several records: gathers, volumes."""
    rows: str = "rows"
    """What a user calls several rows of a product's table: traces, windows."""
    records: Callable[[R, Sequence[Ref]], Iterable[Record]]
    """The whole records behind held-out refs, with their truth: what calibration and evaluation run on."""
    contents: Callable[[R, Sequence[Ref]], Array]
    """Hashes of the raw records behind refs, uint64, 0 where one has no content: a bundle keeps those it has seen."""
    open: Callable[[R, Any, float | None], Iterable[Record]]
    """The records of what a user gives: a path, an ObsPy Stream, or an array (trace, time) with its sampling rate."""
    select: Callable[[Iterable[Record], str | Path | None, str | None], tuple[list[Record], list[Record]]] = all_of
    """From records, a table of picks and names of shots, as a user gives them, to the records that are meant and those
    that are left, from which baselines may learn; rooms without shots take all."""
    with_questions: Callable[[R, Iterable[Record]], Iterable[Record]] = as_they_are
    """From a user's records to those that are scored: some of what is known hidden, where no truth comes beside it."""
    apply: Callable[[R, Predictor, Calibration | None, Iterable[Record]], Product]
    """Whole records through a predictor, to a product."""
    tile: Callable[[R, Calibration | None, Grid], Tiled] | None = None
    """How a volume with these axes is taken through a predictor in tiles, to a file; None in rooms of gathers, whose
    products fit the memory."""
    is_tiled: Callable[[Path], bool] = always
    """Whether a path is a volume that is to be tiled, in rooms that take other records too."""
    calibrate: Callable[[R, Sequence[Product], Calibration | None], Calibration]
    """From products on held-out groups, with their truth, to a calibration: one product of the model itself, or one
    of each model that was trained without those groups. A former calibration of the model may help, or be None."""
    load_calibration: Callable[[Mapping[str, Any]], Calibration]
    """A calibration from its JSON; the object's own `to_json` is the way there."""
    evaluate: Callable[[R, Mapping[str, Product], Sequence[Record]], Report]
    """Products of several methods on the same records, with their truth, to JSON values: `tables` has, by part
    of the data, a row a method; `title` and `notes` say what they show.
    The records are others, with truth, from which baselines without waveforms may learn."""
    report: Callable[[R, Mapping[str, Product], Report, Sequence[Record], Path], Sequence[Path]]
    """Write tables, figures and a page of an evaluation to a folder; returns what was written."""
    view: Callable[[R, Sequence[Record], Product], Figure]
    """A picture of a product over its records."""
    one_by_one: bool = False
    """Whether `write` takes products as they come, each of one record, so that a file may be larger than the memory."""
    write: Callable[[Product, Path], None]
    """A product to a file; the suffix chooses the format."""


def task_of(recipe: Recipe) -> Task[Any]:  # Any: any room
    """Return the room of a recipe."""
    found: Task[Any] = plugins.load("tasks", recipe.task)
    return found
