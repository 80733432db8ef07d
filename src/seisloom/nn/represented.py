"""A network behind what represents its batches: spectra of waveforms, and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class Represented(nn.Module):
    """Representations in their order, each from the arrays of a batch to the same, and a network on what they give."""

    def __init__(self, steps: Sequence[nn.Module], model: nn.Module) -> None:
        super().__init__()
        self.steps, self.model = nn.ModuleList(steps), model

    def forward(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return what the network returns for the represented batch; the given one is not changed."""
        outputs: Mapping[str, Tensor] = self.model(self._represented(batch))
        return outputs

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Let a network that learns in closed form learn from represented items."""
        self.model.learn(self._represented(batch), groups)  # type: ignore[operator]

    def _represented(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        for step in self.steps:
            batch = step(batch)
        return batch
