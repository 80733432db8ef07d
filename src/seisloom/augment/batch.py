"""A batch on its way to the network: tensors by name, and what their axes mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seisloom.sample import Schema

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from seisloom.augment.bank import Bank


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors with a leading axis `item`, then the axes of their field. Never changed in place."""

    arrays: Mapping[str, Tensor]
    keys: tuple[str, ...]
    """The key of each item: randomness follows it, not the place in the batch."""
    schema: Schema
    epoch: int = 0
    """Number of the pass over the data; with the key it decides what is drawn."""
    bank: Bank | None = None
    """Samples that augmentations take partners from; `augment` puts it here while it works."""

    def __len__(self) -> int:
        return len(self.keys)

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """Return the batch on a device; Lightning calls this."""
        return replace(
            self, arrays={name: one.to(device, non_blocking=non_blocking) for name, one in self.arrays.items()}
        )

    def pin_memory(self) -> Batch:
        """Return the batch in pinned memory; the loader calls this for a GPU."""
        return replace(self, arrays={name: one.pin_memory() for name, one in self.arrays.items()})

    def with_arrays(self, **changes: Tensor) -> Batch:
        """Return a copy in which these tensors are replaced."""
        return replace(self, arrays={**self.arrays, **changes})

    def rows(self, chosen: Sequence[int]) -> Batch:
        """Return a batch of some of the items, in the order given."""
        import torch

        place = torch.as_tensor(list(chosen))

        def some(one: Tensor) -> Tensor:
            if one.device.type == "cpu" and not one.requires_grad:
                return torch.from_numpy(one.numpy()[place.numpy()])  # copies rows twice as fast as index_select
            return one.index_select(0, place.to(one.device))

        arrays = {name: some(one) for name, one in self.arrays.items()}
        return replace(self, arrays=arrays, keys=tuple(self.keys[k] for k in chosen))

    def axis(self, field: str, name: str) -> int:
        """Return the dimension of a named axis in a field's tensor, the item axis counted."""
        return self.schema[field].axes.index(name) + 1

    def lengths(self) -> dict[str, int]:
        """Return the length of each named axis."""
        found: dict[str, int] = {}
        for field in self.schema.fields:
            if field.name in self.arrays:
                found.update(zip(field.axes, self.arrays[field.name].shape[1:], strict=True))
        return found

    def of_amplitude(self) -> list[str]:
        """Return the names of `x` and of the labels that are its amplitudes: what a factor on the data multiplies."""
        return ["x", *(one.name for one in self.schema.fields if one.label == "amplitude" and one.name in self.arrays)]

    def along(self, axis: str, *, labels: bool) -> list[str]:
        """Return the names of the data fields, or of the label fields, that have this axis."""
        return [
            field.name
            for field in self.schema.fields
            if field.name in self.arrays and axis in field.axes and (field.label is not None) == labels
        ]
