"""Classifiers on the batches of the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.errors import SchemaError
from seisloom.nn.forest import Forest
from seisloom.nn.ridge import RidgeHead
from seisloom.nn.rocket import MiniRocket, MultiRocket
from seisloom.signal.event_features import FEATURE_NAMES, event_features

SHAPES = {2: "(channel, time) or (channel, frequency)", 3: "(channel, frequency, frame)"}


class Classifier(nn.Module):
    """Logits of a batch, by a network that takes `x` and the mask of what was recorded."""

    def __init__(self, model: nn.Module, *, n_axes: int, is_sequence: bool = False) -> None:
        """Wrap a network.

        Args:
            model: from x and mask to logits (item, class).
            n_axes: of an item of `x`, its channels counted.
            is_sequence: whether it takes channels last.
        """
        super().__init__()
        self.model, self.n_axes, self.is_sequence = model, n_axes, is_sequence

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class).

        Args:
            batch: `x` (item, channel, *place), and `mask` (item, last axis of the place), which may be missing.
        Raises:
            SchemaError: if the network takes another representation.
        """
        x = batch["x"]
        if x.ndim != 1 + self.n_axes:
            raise SchemaError(
                f"the network takes {SHAPES[self.n_axes]} and is given {tuple(x.shape[1:])}. Choose `represent:`: "
                "[{name: stft}] makes spectrograms, [{name: fft}] spectra, [] leaves waveforms"
            )
        logits: Tensor = self.model(x.transpose(1, 2) if self.is_sequence else x, batch.get("mask"))
        return {"logits": logits}


class RocketClassifier(nn.Module):
    """Logits that are linear in the features of fixed convolutions of the waveform; see `seisloom.nn.rocket`."""

    def __init__(
        self, n_channels: int, n_classes: int, n_time: int, *, multi: bool, n_features: int, is_balanced: bool
    ) -> None:
        super().__init__()
        self.features = (MultiRocket if multi else MiniRocket)(n_channels, n_time, n_features)
        self.head = RidgeHead(self.features.n_features, n_classes)
        self.is_balanced = is_balanced

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class) of a batch with `x` (item, channel, time)."""
        return {"logits": self.head(self.features(batch["x"]))}

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Find the thresholds in all items of a known class, and fit the head, whole groups left out for its penalty.

        Args:
            batch: `x` (item, channel, time) and `label` (item, class), shares, -1 where not known.
            groups: what each item belongs to.
        """
        x, label, known = batch["x"], *_classes(batch["label"])
        x, label = x[known], label[known]
        _, member = np.unique(np.asarray(groups)[known.numpy()], return_inverse=True)
        self.features.fit(x)
        counts = torch.bincount(label, minlength=len(self.head.weight)).clamp(min=1)
        weights = (len(label) / (len(counts) * counts)).tolist() if self.is_balanced else None
        self.head.fit(self.features(x), label, weights, groups=torch.from_numpy(member))


class FeatureForest(nn.Module):
    """Logits of a random forest on physical features of the waveform; see `seisloom.signal.event_features`.

    The onset is not among them: it would tell noise from events.
    """

    def __init__(
        self, n_classes: int, *, n_trees: int, max_leaves: int, is_balanced: bool, is_extra: bool = False
    ) -> None:
        super().__init__()
        self.forest = Forest(len(FEATURE_NAMES), n_classes, n_trees=n_trees, max_leaves=max_leaves)
        self.is_balanced, self.is_extra = is_balanced, is_extra

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class) of a batch with `x` (item, channel, time), `mask` and `fs`."""
        return {"logits": self.forest(_features(batch)).to(batch["x"].dtype)}

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Grow the forest on all items of a known class; groups have no part."""
        label, known = _classes(batch["label"])
        self.forest.fit(_features(batch)[known], label[known], is_balanced=self.is_balanced, is_extra=self.is_extra)


def _classes(shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return the class with the largest share (item,), and where it is known; what fits in closed form takes one."""
    return shares.argmax(dim=1), shares.amax(dim=1) > 0


def _features(batch: Mapping[str, Tensor]) -> Tensor:
    rows = [
        event_features(x, fs_hz=float(fs), mask=mask)
        for x, mask, fs in zip(*(batch[name].cpu().numpy() for name in ("x", "mask", "fs")), strict=True)
    ]
    return torch.from_numpy(np.stack(rows)).to(batch["x"].device)
