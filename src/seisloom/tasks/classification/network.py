"""Classifiers on the batches of the room."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.errors import SchemaError
from seisloom.nn.forest import Forest
from seisloom.nn.logistic import Logistic
from seisloom.nn.ridge import RidgeHead
from seisloom.nn.rocket import MiniRocket, MultiRocket
from seisloom.nn.support import SupportVectors
from seisloom.signal.feature_families import Family, features_in, names_of

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


@dataclass(frozen=True, slots=True)
class Features:
    """Which features of a window a table is made of; see `seisloom.signal.feature_families`."""

    families: tuple[Family, ...] = ("physical",)
    noise_s: float = 0.0
    """How much of the window's beginning is noise alone."""
    onset_s: float | None = None
    """Where in all windows the onset is expected: those of noise have the same place, so that it tells nothing."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(names_of(self.families))

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the features (item, feature), float64, of a batch with `x` (item, channel, time), `mask` and `fs`."""
        rows = [
            features_in(
                x, fs_hz=float(fs), families=self.families, mask=mask, noise_s=self.noise_s, onset_s=self.onset_s
            )
            for x, mask, fs in zip(*(batch[name].cpu().numpy() for name in ("x", "mask", "fs")), strict=True)
        ]
        return torch.from_numpy(np.stack(rows)).to(batch["x"].device)


class FeatureForest(nn.Module):
    """Logits of a random forest on features of the waveform."""

    def __init__(
        self, features: Features, n_classes: int, *, n_trees: int, max_leaves: int, is_balanced: bool,
        is_extra: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.features = features
        self.forest = Forest(len(features), n_classes, n_trees=n_trees, max_leaves=max_leaves)
        self.is_balanced, self.is_extra = is_balanced, is_extra

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class) of a batch with `x` (item, channel, time), `mask` and `fs`."""
        return {"logits": self.forest(self.features(batch)).to(batch["x"].dtype)}

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Grow the forest on all items of a known class; groups have no part."""
        label, known = _classes(batch["label"])
        table = self.features(batch)[known]
        self.forest.fit(table, label[known], is_balanced=self.is_balanced, is_extra=self.is_extra)


class FeatureHead(nn.Module):
    """Logits of a support vector machine or a logistic regression on features of the waveform."""

    def __init__(self, features: Features, head: SupportVectors | Logistic, **settings: float | None) -> None:
        """Wrap a head.

        Args:
            features: its columns.
            head: not fitted.
            settings: what its `fit` is told beside the table.
        """
        super().__init__()
        self.features, self.head, self.settings = features, head, settings

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class) of a batch with `x` (item, channel, time), `mask` and `fs`."""
        return {"logits": self.head(self.features(batch)).to(batch["x"].dtype)}

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Fit the head on all items of a known class; whole groups are left out for what it chooses."""
        label, known = _classes(batch["label"])
        _, member = np.unique(np.asarray(groups)[known.numpy()], return_inverse=True)
        table = self.features(batch)[known]
        settings: Any = self.settings  # Any: the head's own
        self.head.fit(table, label[known], groups=torch.from_numpy(member), **settings)


class Vote(nn.Module):
    """Logits that are the mean over several classifiers of the logarithms, or of their probabilities."""

    def __init__(self, members: Sequence[nn.Module], *, is_product: bool) -> None:
        super().__init__()
        self.members, self.is_product = nn.ModuleList(members), is_product

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `logits` (item, class)."""
        said = torch.stack([one(batch)["logits"].log_softmax(dim=1) for one in self.members])
        if self.is_product:
            return {"logits": said.mean(dim=0).log_softmax(dim=1)}
        return {"logits": said.logsumexp(dim=0) - math.log(len(said))}

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Fit each member on all items."""
        for one in self.members:
            one.learn(batch, groups)  # type: ignore[operator]  # all of them are closed forms


def _classes(shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return the class with the largest share (item,), and where it is known; what fits in closed form takes one."""
    return shares.argmax(dim=1), shares.amax(dim=1) > 0
