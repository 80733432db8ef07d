"""The frozen, strict objects that recipes are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torchmetrics import Metric

    from seisloom.sample import Sample, Schema


class Config(BaseModel):
    """A part of a recipe: immutable, unknown keys are errors, field docstrings are its help text."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Paths:
    """Marks a key that holds a path, or several: relative ones in a recipe are meant from the recipe's folder."""

    from_recipe: bool = True
    """False: relative ones are meant from where the command runs."""


class Preparation(Config):
    """A step that runs once on a sample, before shards, in NumPy; torch is not needed for it."""

    name: str

    def __call__(self, sample: Sample) -> Sample:
        """Return the prepared sample; the given one is not changed."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it prepares a sample")


class Representation(Config):
    """One entry of the list `represent:`: how a batch is shown to the network, in training and outside of it alike."""

    name: str

    def build(self) -> nn.Module:
        """Return a module from the arrays of a batch, by name, to the same with `x` represented."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it represents a batch")


class ModelConfig(Config):
    """The entry `model:` of a recipe; it builds the network that it describes."""

    is_closed_form: ClassVar[bool] = False
    """Whether the network learns from all items at once, by its `learn`; see `seisloom.training.closed_form`."""

    name: str

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network for samples of this schema."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to build its network")


def flat(values: Mapping[str, Any], *, between: str = ".", before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what nested mappings hold with the path of its keys; lists are values.

    >>> dict(flat({"train": {"lr": 0.1}, "seed": 0}))
    {'train.lr': 0.1, 'seed': 0}
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, between=between, before=f"{before}{name}{between}")
        else:
            yield before + name, value


class LossTerm(Config):
    """One entry of the list `loss:`; the loss is the weighted sum of its terms, each logged under its name."""

    name: str
    weight: float = 1.0
    """Factor of this term in the sum."""
    from_share: float = Field(0.0, ge=0, lt=1)
    """Share of the training after which the term begins to count; validation counts it in full all along."""
    ramp_share: float = Field(0.0, ge=0, le=1)
    """Share of the training over which its weight then rises, on a straight line."""

    def weight_at(self, share: float) -> float:
        """Return the weight when this share of the training is over, 0 to 1.

        >>> term = LossTerm(name="dice", weight=2, from_share=0.25, ramp_share=0.5)
        >>> [term.weight_at(share) for share in (0.1, 0.25, 0.5, 0.75, 1.0)]
        [0.0, 0.0, 1.0, 2.0, 2.0]
        """
        if share < self.from_share:
            return 0.0
        return self.weight * (min((share - self.from_share) / self.ramp_share, 1.0) if self.ramp_share else 1.0)

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the term, a scalar; 0 (with a gradient) where the batch has nothing that it applies to."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is computed")


class MetricConfig(Config):
    """One entry of the list `metrics:`; computed on the validation part after each epoch, drawn as a curve."""

    name: str

    def build(self) -> Metric:
        """Return a torchmetrics Metric whose `update(outputs, batch)` takes the same mappings as a loss term."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is computed")


class Method(Config):
    """A method without weights (STA/LTA, interpolation, ...) that `apply` and `evaluate` take like a bundle."""

    is_calibrated: ClassVar[bool] = False
    """Whether its probabilities are calibrated as they come, so that nothing is to be fitted beside a network."""

    name: str
    task: str
    """The room whose `apply` runs this method."""

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return whether scores show it beside what a recipe makes though nobody names it: where both do the same."""
        return True

    def adapt(self, recipe: Any) -> Any:  # Any: a recipe of the room
        """Return the recipe that the method is applied by; it may not give all that a network does."""
        return recipe

    def predictor(self, recipe: Any) -> Any:  # Any: a room narrows both; see seisloom.task.Task
        """Return a function from arrays to arrays with the output fields of the task."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it predicts")
