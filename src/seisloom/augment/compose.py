"""Entries that hold other entries: several in a row, one with a probability, one or some of several."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import CoreSchema, core_schema

from seisloom.augment.augmentation import Augmentation, Container
from seisloom.sample import Array


@cache
def _known() -> dict[str, EntryPoint]:
    # Not by `seisloom.plugins`: it stands beside this room, and the recipe above both of them
    return {point.name: point for point in entry_points(group="seisloom.augmentations")}


class Nested:
    """Marks an entry inside of another: a name, or a mapping with a name, as in the list `augment:` itself."""

    group: ClassVar[str] = "augmentations"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:  # Any: pydantic's own protocol
        def hydrate(value: Any) -> Augmentation:  # Any: what YAML can say
            if isinstance(value, Augmentation):
                return value
            values = {"name": value} if isinstance(value, str) else value
            name = values.get("name") if isinstance(values, Mapping) else None
            if name not in _known():
                near = difflib.get_close_matches(str(name), _known(), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(_known()))}"
                raise ValueError(f"no augmentation is named {name!r}{hint}")
            found: type[Augmentation] = _known()[name].load()
            return found.model_validate(dict(values))

        return core_schema.no_info_plain_validator_function(
            hydrate, serialization=core_schema.plain_serializer_function_ser_schema(lambda part: part.model_dump())
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:  # Any: see above
        # By name alone: an entry's own schema would hold this one again, without end
        known = sorted(_known())
        named = {"type": "object", "properties": {"name": {"enum": known}}, "required": ["name"]}
        return {"oneOf": [named, {"enum": known}]}


Entry = Annotated[Augmentation, Nested()]


class _OfSeveral(Container):
    in_order: ClassVar[tuple[str, ...]] = ("entries",)
    entries: tuple[Entry, ...] = Field(min_length=1)
    """Entries, in the order in which they act."""

    @property
    def members(self) -> tuple[Augmentation, ...]:
        """Return the entries inside."""
        return self.entries


class Compose(_OfSeveral):
    """Several entries in a row, which act together or, with a `p` below 1, not at all."""

    name: str = "compose"

    def choose(self, n: int, rows: Iterator[np.random.Generator]) -> Array:
        """Return True for all members."""
        return np.ones((n, len(self.entries)), dtype=bool)


class RandomApply(Container):
    """One entry with a probability of its own, which multiplies that of the entry."""

    in_order: ClassVar[tuple[str, ...]] = ("entry",)
    name: str = "random_apply"
    p: float = Field(0.5, ge=0, le=1)
    """Probability that the entry is tried on a sample."""
    entry: Entry
    """What is applied."""

    @property
    def members(self) -> tuple[Augmentation, ...]:
        """Return the entry."""
        return (self.entry,)

    def choose(self, n: int, rows: Iterator[np.random.Generator]) -> Array:
        """Return True: whether it acts at all was decided before."""
        return np.ones((n, 1), dtype=bool)


class OneOf(_OfSeveral):
    """One of several entries, drawn anew for each sample."""

    name: str = "one_of"
    weights: tuple[float, ...] = ()
    """How often each is drawn, in parts of any sum; empty draws all alike."""

    @model_validator(mode="after")
    def _a_weight_each(self) -> OneOf:
        if self.weights and (len(self.weights) != len(self.entries) or min(self.weights) < 0 or sum(self.weights) <= 0):
            raise ValueError(f"weights: {len(self.entries)} entries need as many weights, none below 0 and one above")
        return self

    def choose(self, n: int, rows: Iterator[np.random.Generator]) -> Array:
        """Return True for one member of each row."""
        weights = np.array(self.weights or [1.0] * len(self.entries))
        edges = np.cumsum(weights / weights.sum())[:-1]
        drawn = np.searchsorted(edges, np.array([row.random() for row in rows]), side="right")
        return np.asarray(drawn[:, None] == np.arange(len(self.entries)))


class SomeOf(_OfSeveral):
    """Some of several entries, drawn anew for each sample; they act in the order of the list."""

    name: str = "some_of"
    low: int = Field(1, ge=0)
    """Fewest that act."""
    high: int | None = Field(None, ge=0)
    """Most that act; None takes all."""

    @model_validator(mode="after")
    def _enough(self) -> SomeOf:
        if not self.low <= self._most <= len(self.entries):
            raise ValueError(f"low {self.low} to high {self._most} must lie in 0 to {len(self.entries)}, the entries")
        return self

    @property
    def _most(self) -> int:
        return len(self.entries) if self.high is None else self.high

    def choose(self, n: int, rows: Iterator[np.random.Generator]) -> Array:
        """Return True for some members of each row."""
        found = np.zeros((n, len(self.entries)), dtype=bool)
        for chosen, row in zip(found, rows, strict=True):
            count = row.integers(self.low, self._most + 1)
            chosen[row.permutation(len(self.entries))[:count]] = True
        return found
