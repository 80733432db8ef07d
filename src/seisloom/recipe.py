"""The recipe: one typed object that YAML, the command line and a request hydrate alike.

Keys stand in the order of the flow. An entry with a `name` is the object it names, found by entry point; no import
path ever comes from a file. Mistakes are reported all at once, each with its path and the nearest valid name.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, Field, PositiveFloat, SerializeAsAny, ValidationError
from pydantic_core import CoreSchema, core_schema

from seisloom import plugins
from seisloom.augment.augmentation import Augmentation
from seisloom.config import Config, LossTerm, MetricConfig, ModelConfig, Paths, Preparation, Representation
from seisloom.errors import MissingDataError, RecipeError

if TYPE_CHECKING:
    from torch import nn

    from seisloom.sample import Schema

logger = logging.getLogger("seisloom")
Json = Any  # Any: what YAML and JSON can say


class Entry:
    """Marks a part of a recipe as a tagged union on `name`, fed by a group of entry points."""

    def __init__(self, group: str) -> None:
        self.group = group

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:  # Any: pydantic's own protocol
        def hydrate(value: Json) -> Config:
            if isinstance(value, Config):
                return value
            if isinstance(value, str):
                value = {"name": value}
            if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
                known = ", ".join(plugins.names(self.group))
                raise ValueError(f"needs a name; {self.group} that are known: {known}")
            try:
                found: type[Config] = plugins.load(self.group, value["name"])
            except LookupError as error:
                raise ValueError(str(error)) from None
            return found.model_validate(dict(value))

        return core_schema.no_info_plain_validator_function(
            hydrate, serialization=core_schema.plain_serializer_function_ser_schema(lambda part: part.model_dump())
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Json]:  # Any: see above
        known, entries = plugins.names(self.group), []
        for name in known:
            try:
                entries.append(_schema_of(self.group, name))
            except LookupError as error:  # a third party's package that does not load must not hide all the others
                logger.warning("left out of the schema: %s", error)
        return {"oneOf": [*entries, {"enum": known, "title": "by name alone"}]}


def _schema_of(group: str, name: str) -> dict[str, Json]:
    """Return the schema of one entry; its name is fixed, or an entry of defaults alone would fit all of them."""
    schema: dict[str, Any] = plugins.load(group, name).model_json_schema()  # Any: JSON values
    schema = _written_out(schema, schema.pop("$defs", {}))
    named = {**schema["properties"], "name": {"const": name}}
    return {**schema, "title": name, "properties": named, "required": [*schema.get("required", []), "name"]}


def _written_out(schema: Any, definitions: Mapping[str, Any]) -> Any:  # Any: JSON values
    """Return a schema with definitions in place of references to them: an entry stands within another schema."""
    if isinstance(schema, list):
        return [_written_out(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {key: _written_out(value, definitions) for key, value in schema.items() if key != "discriminator"}


def expand(path: str) -> Path:
    """Return the path with `${SEISLOOM_DATA}` and the like filled in.

    Raises:
        MissingDataError: if a variable in it is not set.
    """
    filled = os.path.expandvars(path)
    unset = re.findall(r"\$\{?(\w+)\}?", filled)
    if unset:
        raise MissingDataError(f"{path}: {unset[0]} is not set. Set it: export {unset[0]}=/folder/with/data")
    return Path(filled).expanduser()


class SplitConfig(Config):
    """How samples are parted: whole groups, drawn by a keyed hash of their names."""

    by: tuple[str, ...] = Field(("shot",), min_length=1)
    """Kinds of group that are never parted, e.g. [shot] or [station]; several together join what shares any of them."""
    valid: float = Field(0.15, ge=0, lt=1)
    """Share of groups that choose the model (early stop, best epoch)."""
    calibrate: float = Field(0.2, ge=0, lt=1)
    """Share of groups that neither train nor choose, and only calibrate."""
    test: float = Field(0.2, ge=0, lt=1)
    """Share of groups that are only scored."""
    named: Mapping[str, tuple[str, ...]] = {}
    """Lists of groups by part, e.g. {test: [LINE/1003]}; they come before the shares."""
    only: tuple[str, ...] = ()
    """Keep only groups whose name begins with one of these, e.g. [REFRAPY1/]; empty keeps all."""


class FinishConfig(Config):
    """A last stage that teaches parts of the network on the validation part; see `seisloom.training.finish`."""

    parts: tuple[str, ...] = Field(min_length=1)
    """Parts of the network, by the names that it gives them, e.g. [spread, presence]."""
    steps: int = Field(100, ge=1)
    """Batches."""
    lr: float = Field(2e-3, gt=0)
    """Highest learning rate."""


class TrainConfig(Config):
    """The training loop; the names follow PyTorch Lightning where it has them."""

    epochs: int = Field(30, ge=1)
    """Epochs, at most; after each one the validation part is looked at."""
    passes: int = Field(1, ge=1)
    """Passes over the training part in one epoch, each with its own crops and draws: for small parts."""
    batch_size: int = Field(16, ge=1)
    """Items in a batch, on each device."""
    batch_valid: int | None = Field(None, ge=1)
    """Items in a batch of the validation part; None takes batch_size."""
    shares: Mapping[str, PositiveFloat] = {}
    """Parts of the batches that go to groups whose names begin so, e.g. {LINE1: 0.6, LINE2: 0.4}, whatever their
    number of items; the key '' stands for all others. Without, a group has as many as it has items."""
    num_workers: int = Field(0, ge=0)
    """Processes that read samples, on each device; 0 reads in the training process."""
    lr: float = Field(1e-3, gt=0)
    """Highest learning rate; it rises over the first 5 % of the steps and falls to 1 % on a cosine."""
    weight_decay: float = Field(1e-2, ge=0)
    """Decay of the AdamW optimiser."""
    clip_norm: float = Field(1.0, gt=0)
    """Gradients with a larger norm are scaled down to it."""
    learn_weights: bool = False
    """Whether each loss term has a factor that is learnt with the network, beside its weight in the recipe: for tasks
    whose sizes cannot be compared. Validation is summed with the recipe's weights."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""
    patience: int = Field(10, ge=1)
    """Epochs without a better validation loss before training stops."""
    monitor: str = "valid/loss"
    """What chooses the best epoch: a logged quantity of the validation part."""
    monitor_mode: Literal["min", "max"] = "min"
    """Whether less or more of it is better."""
    finish: FinishConfig | None = None
    """Parts that learn how sure the network is, after all else, on samples whose answers it has not seen."""
    init_from: str | None = None
    """A bundle, by folder or by the name of a shipped one, whose weights training starts from."""
    resume: str | None = None
    """A .ckpt of a run of the same network, from which training goes on with its optimiser and its epoch. None goes on
    from what the output folder holds, if anything."""
    check: str | None = None
    """A .ckpt, a .pth or a bundle that is scored on the validation part; nothing is trained then."""
    max_non_finite: int = Field(10, ge=0)
    """Batches with a non-finite loss that are skipped (named and counted) before training stops."""
    keep_checkpoints: int = Field(1, ge=0)
    """Checkpoints of single epochs that are kept beside best and last."""
    accelerator: str = "auto"
    """Lightning's accelerator: auto, cpu, gpu, ..."""
    devices: int | str = "auto"
    """Lightning's devices: a number or auto."""
    num_nodes: int = Field(1, ge=1)
    """Machines that train together."""
    strategy: str = "auto"
    """Lightning's strategy: auto, ddp, ..."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Lightning's precision."""
    threads: int | None = Field(None, ge=1)
    """Threads that torch uses; None leaves its own choice."""
    loggers: tuple[Literal["csv", "tensorboard", "mlflow"], ...] = ("csv", "tensorboard")
    """Where curves are written besides history.csv, in the folder `logs`: csv, tensorboard, mlflow. mlflow needs
    `pip install seisloom[mlflow]` and has a sqlite file there, or the address in MLFLOW_TRACKING_URI."""


def _known_task(name: str) -> str:
    if name not in plugins.names("tasks"):
        raise ValueError(f"no task is named {name!r}{plugins.nearest(name, plugins.names('tasks'))}")
    return name


@dataclass(frozen=True, slots=True)
class Hint:
    """What a room adds to the question for one of its keys, from the answers that are there so far."""

    help: str = ""
    """Said after the key's own description."""
    choices: tuple[str, ...] = ()
    """Values that fit what is there; others may be given too."""
    stand_in: tuple[str, str] = ("", "")
    """Variable of a path that need not be set, and what happens without it."""


class Recipe(Config):
    """Everything that decides what comes out, in the order of the flow. A room narrows its parts."""

    aliases: ClassVar[Mapping[str, str]] = {
        "batch_size": "train.batch_size",
        "num_workers": "train.num_workers",
        "epochs": "train.epochs",
    }
    """Accepted spellings of other keys, by their path; a list entry may be named instead of counted."""
    questions: ClassVar[tuple[str, ...]] = (
        "model.name", "train.epochs", "train.batch_size", "train.lr", "train.init_from",
    )  # fmt: skip
    """Keys that `seisloom setup` asks for, by their path, in this order; those that it has not are passed over."""

    task: Annotated[str, AfterValidator(_known_task)]
    """The room."""
    seed: int = 0
    """All randomness follows from it."""
    data: SerializeAsAny[Config]
    """What is read."""
    split: SplitConfig = SplitConfig()
    """How it is parted."""
    shards: SerializeAsAny[Config] | None = None
    """How samples are cut and stored."""
    prepare: tuple[Annotated[Preparation, Entry("preparations")], ...] = ()
    """Steps that run once on each record, in NumPy."""
    augment: tuple[Annotated[Augmentation, Entry("augmentations")], ...] = ()
    """Random changes of training batches."""
    represent: tuple[Annotated[Representation, Entry("representations")], ...] = ()
    """How batches are shown to the network, in training and outside of it."""
    model: Annotated[ModelConfig, Entry("models")]
    """The network."""
    loss: tuple[Annotated[LossTerm, Entry("losses")], ...] = Field(min_length=1)
    """Terms that are summed with their weights."""
    metrics: tuple[Annotated[MetricConfig, Entry("metrics")], ...] = ()
    """What is measured on the validation part after each epoch."""
    train: TrainConfig = TrainConfig()
    """The training loop."""
    calibrate: SerializeAsAny[Config] | None = None
    """How scores become intervals."""
    apply: SerializeAsAny[Config] | None = None
    """How whole records are taken through the network."""

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Json]) -> Hint | None:
        """Return what is said with a question, or None where the answers so far make it needless.

        Args:
            key: path of the key, such as train.epochs.
            values: the recipe so far, as YAML has it.
        """
        return Hint()

    @classmethod
    def settle(cls, values: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return plain values in which parts that an answer made idle are left out, and missing ones put in.

        `seisloom setup` does this after each answer; a recipe that is read is taken at its word.

        Raises:
            SeisloomError: if an answer does not fit the data that it names.
        """
        return values

    def without_weights(self) -> Recipe:
        """Return the recipe without parts that have weights of their own: what a classical method is given."""
        return self

    def network(self, schema: Schema) -> nn.Module:
        """Return the untrained network on items of a schema, behind what represents them."""
        model = self.model.build(schema)
        if not self.represent:
            return model
        from seisloom.nn.represented import Represented

        return Represented([entry.build() for entry in self.represent], model)

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every default written out."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, width=100)
        return text


R = TypeVar("R", bound=Recipe)


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a YAML file, or of a packaged recipe by its name, with `key=value` changes.

    Paths in the file are relative to the file, those of the changes to the working folder.

    Raises:
        MissingDataError: if there is no such file.
        RecipeError: with every mistake, its path and the nearest valid name.

    >>> read_recipe("picking", ["train.epochs=3"]).train.epochs
    3
    """
    return recipe_from(read_values(path), overrides, where=str(path))


def read_values(path: str | Path) -> dict[str, Json]:
    """Return what a recipe's file, or a packaged recipe by its name, says; relative paths in it made absolute.

    Raises:
        MissingDataError: if there is no such file.
        RecipeError: if it is not YAML, or no mapping.
    """
    file = Path(path)
    if not file.is_file() and packaged_recipe(str(path)).is_file():
        file = packaged_recipe(str(path))
    if file.is_dir():
        raise RecipeError(f"{path}: is a folder, and no recipe. If it is the survey, write --data {path}")
    if not file.is_file():
        raise MissingDataError(f"{path}: no such recipe. Packaged ones: {', '.join(packaged_recipes())}")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path}: a recipe is a mapping that begins with `task:`")
    tree: dict[str, Json] = _plain(values)
    if tree.get("task") in plugins.names("tasks"):  # what is wrong otherwise is said where it is validated
        _anchor(kind_of(tree), tree, file.parent.resolve())
    return tree


def recipe_from(values: Mapping[str, Json], overrides: Sequence[str] = (), *, where: str = "recipe") -> Recipe:
    """Return the recipe of plain values (YAML, a request) with `key=value` changes; see `read_recipe`."""
    kind = kind_of(values, where=where)
    tree, mistakes = _changed(kind, values, overrides)
    try:
        recipe = kind.model_validate(tree)
    except ValidationError as error:
        mistakes += [_sentence(kind, tree, one) for one in error.errors()]
    _raise_all(mistakes, where)
    return recipe


def kind_of(values: Mapping[str, Json], *, where: str = "recipe") -> type[Recipe]:
    """Return the class of the recipe of plain values, that of the room which they name.

    Raises:
        RecipeError: if there is no such room.
    """
    name = values.get("task")
    if not isinstance(name, str) or name not in plugins.names("tasks"):
        raise RecipeError(f"{where}: task: no task is named {name!r}; there are {', '.join(plugins.names('tasks'))}")
    kind: type[Recipe] = plugins.load("tasks", name).recipe
    return kind


def with_changes(values: Mapping[str, Json], changes: Sequence[str], *, where: str = "recipe") -> dict[str, Json]:
    """Return plain values with `key=value` changes, which are not yet validated.

    Raises:
        RecipeError: if a change is none, or leads to nowhere.
    """
    tree, mistakes = _changed(kind_of(values, where=where), values, changes)
    _raise_all(mistakes, where)
    return tree


def _changed(
    kind: type[Recipe], values: Mapping[str, Json], overrides: Sequence[str]
) -> tuple[dict[str, Json], list[str]]:
    """Return plain values with changes, and mistakes in these; paths of changes are made absolute."""
    tree: dict[str, Json] = _plain(values)
    mistakes: list[str] = []
    for key in [key for key in tree if key in kind.aliases]:
        value = tree.pop(key)
        _set(tree, kind.aliases[key], value, mistakes, shown=key)
    for change in overrides:
        key, equals, text = change.partition("=")
        if not equals:
            mistakes.append(f"{change!r} is not key=value; write for instance train.epochs=3")
            continue
        key = key.strip().lstrip("-").replace("-", "_")
        _set(tree, kind.aliases.get(key, key), _value(text), mistakes, shown=change)
    if overrides:
        _anchor(kind, tree, Path.cwd())
    return tree, mistakes


C = TypeVar("C", bound=Config)


def config_from(kind: type[C], changes: Sequence[str], *, where: str) -> C:
    """Return a config of its defaults with `key=value` changes; mistakes are reported as a recipe's are."""
    tree: dict[str, Json] = {}
    mistakes: list[str] = []
    for change in changes:
        key, equals, text = change.partition("=")
        if equals:
            _set(tree, key.strip().lstrip("-").replace("-", "_"), _value(text), mistakes, shown=change)
        else:
            mistakes.append(f"{change!r} is not key=value; keys are {', '.join(sorted(kind.model_fields))}")
    try:
        made = kind.model_validate(tree)
    except ValidationError as error:
        mistakes += [_sentence(kind, tree, one) for one in error.errors()]
    _raise_all(mistakes, where)
    return made


def _raise_all(mistakes: Sequence[str], where: str) -> None:
    if mistakes:
        head = f"{where}: {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
        raise RecipeError("\n  ".join([head, *mistakes]))


def packaged_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = resources.files("seisloom") / "recipes"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def usual_recipe(room: str) -> str:
    """Return the name of the packaged recipe that a room begins from: called as the room, or as it begins.

    >>> usual_recipe("picking"), usual_recipe("dispersion")
    ('picking', 'dispersion_picker')
    """
    names = packaged_recipes()
    return room if room in names else next((one for one in names if one.startswith(f"{room}_")), room)


def packaged_recipe(name: str) -> Path:
    """Return the path of a packaged recipe; it may not exist."""
    return Path(str(resources.files("seisloom") / "recipes" / f"{name}.yaml"))


def _value(text: str) -> Json:
    """Return the value of the right side of key=value; numbers such as 1e-3, which YAML 1.1 takes for text, too."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _plain(values: Json) -> Json:
    if isinstance(values, Mapping):
        return {str(key): _plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return values


def _set(tree: Json, path: str, value: Json, mistakes: list[str], *, shown: str) -> None:
    """Set one place of the tree; a list is entered by number or by the name of its entry."""
    *way, last = path.split(".")
    here = tree
    for step in way:
        if isinstance(here, dict):
            if here.get(step) is None:
                here[step] = {}
            elif isinstance(here[step], str):
                here[step] = {"name": here[step]}
            here = here[step]
        elif isinstance(here, list):
            place = _place(here, step)
            if place is None:
                mistakes.append(f"{shown}: there is no entry {step!r}; entries are {_listed(here)}")
                return
            if isinstance(here[place], str):
                here[place] = {"name": here[place]}
            here = here[place]
        else:
            mistakes.append(f"{shown}: {step!r} is inside of a plain value")
            return
    if isinstance(here, dict):
        here[last] = value
    elif isinstance(here, list) and (place := _place(here, last)) is not None:
        here[place] = value
    else:
        mistakes.append(f"{shown}: there is no entry {last!r}; entries are {_listed(here)}")


def _place(entries: list[Json], step: str) -> int | None:
    if step.isdigit():
        return int(step) if int(step) < len(entries) else None
    called = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    return called.index(step) if step in called else None


def _listed(entries: Json) -> str:
    if not isinstance(entries, list) or not entries:
        return "none"
    called = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    return ", ".join(f"{place} ({name})" for place, name in enumerate(called))


def path_keys(kind: type[Recipe]) -> Iterator[tuple[str, str]]:
    """Yield the part and the key of what holds paths, such as data and root."""
    for part, field in kind.model_fields.items():
        of = field.annotation
        if isinstance(of, type) and issubclass(of, BaseModel):
            yield from ((part, key) for key, one in of.model_fields.items() if Paths() in one.metadata)


def _anchor(kind: type[Recipe], tree: dict[str, Json], folder: Path) -> None:
    """Make the relative paths among the keys relative to the recipe's folder; variables stay as they are written."""
    for part, key in path_keys(kind):
        values = tree.get(part)
        if isinstance(values, dict) and key in values:
            found = values[key]
            values[key] = [_in(folder, one) for one in found] if isinstance(found, list) else _in(folder, found)


def _in(folder: Path, path: Json) -> Json:
    is_relative = isinstance(path, str) and path and not path.startswith(("$", "~", "/"))
    return str(folder / str(path)) if is_relative else path


def _sentence(kind: type[BaseModel], tree: Json, error: Any) -> str:  # Any: pydantic's ErrorDetails
    """Return one mistake in words: path, what is wrong, and the nearest valid name for an unknown key."""
    place = tuple(error["loc"])
    path = ".".join(str(step) for step in place)
    if error["type"] == "extra_forbidden":
        known = _keys_at(kind, tree, place[:-1])
        if len(place) == 1 and issubclass(kind, Recipe):
            known += [alias for alias in kind.aliases if alias not in known]
        return f"{path}: unknown key{_owners_of(place) or plugins.nearest(str(place[-1]), known)}"
    message = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    if error["type"] == "tuple_type" and isinstance(given, str):
        return f"{path}: is a list; write '{path}=[{given}]'"
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {message[0].lower()}{message[1:]}{shown}"


def _owners_of(place: Sequence[str | int]) -> str:
    """Say which models have a key that the recipe's own has not."""
    if len(place) != 2 or place[0] != "model":
        return ""
    owners = [name for name in plugins.names("models") if place[1] in plugins.load("models", name).model_fields]
    return f" of this model; it is one of {' and '.join(owners)}, so give model.name={owners[0]}" if owners else ""


def _keys_at(kind: type[BaseModel], tree: Json, place: Sequence[str | int]) -> list[str]:
    """Return the keys that are valid at a place of the tree."""
    here: type[BaseModel] | None = kind
    group: str | None = None  # of entry points, from which the next mapping with a name is
    value, kinds = tree, None
    for step in place:
        if isinstance(value, dict) and step not in value:  # the name of one of several kinds, which pydantic adds
            here = _named(kinds, step)
            continue
        value = value[step]
        if here is not None and isinstance(step, str):
            field = here.model_fields[step]
            group = next((mark.group for mark in _marks(field) if isinstance(mark, Entry)), None)
            kinds = field.annotation
            here = None if group else _config_of(kinds)
        name = value.get("name") if isinstance(value, dict) else value
        if group is not None and isinstance(name, str):
            here, group = plugins.load(group, name), None
    return sorted(here.model_fields) if here is not None else []


def _named(annotation: Any, name: str | int) -> type[BaseModel] | None:  # Any: typing's own objects
    """Return the kind, of several in an annotation, whose key `name` is this."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        known = annotation.model_fields.get("name")
        return annotation if known is not None and known.default == name else None
    return next((one for part in getattr(annotation, "__args__", ()) if (one := _named(part, name))), None)


def _marks(field: Any) -> list[Any]:  # Any: typing's own objects
    marks = list(field.metadata)
    for argument in getattr(field.annotation, "__args__", ()):
        marks += list(getattr(argument, "__metadata__", ()))
    return marks


def _config_of(annotation: Any) -> type[BaseModel] | None:  # Any: typing's own objects
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _config_of(argument)
        if found is not None:
            return found
    return None
