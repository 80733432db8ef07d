"""The recipe itself: its keys in the order of the flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import yaml
from pydantic import AfterValidator, Field, SerializeAsAny, model_validator

from seisloom import plugins
from seisloom.augment.augmentation import Augmentation
from seisloom.config import Config, LossTerm, MetricConfig, ModelConfig, Preparation, Representation
from seisloom.recipe.entry import Entry, Json
from seisloom.recipe.parts import SplitConfig, TrainConfig

if TYPE_CHECKING:
    from torch import nn

    from seisloom.sample import Schema


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

    @model_validator(mode="before")
    @classmethod
    def _usual_split(cls, values: Any) -> Any:  # Any: not yet validated
        """Take what a split does not say from the room's own: its kinds of group are not those of other rooms."""
        if not isinstance(values, Mapping) or not isinstance(values.get("split"), Mapping):
            return values
        usual = cls.model_fields["split"].default.model_dump(exclude_unset=True)
        return {**values, "split": {**usual, **values["split"]}}

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

        `seisloom setup` does this after each answer, and so does a change of the network by key=value; a recipe that
        is read is taken at its word.

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
