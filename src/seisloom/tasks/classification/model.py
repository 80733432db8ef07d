"""The room's networks as entries of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from seisloom.config import ModelConfig
from seisloom.errors import RecipeError
from seisloom.sample import Schema

if TYPE_CHECKING:
    from torch import nn


class ClassifierConfig(ModelConfig):
    """Keys that the room's networks share."""

    n_channels: int | None = Field(None, ge=1)
    """Components of a record; None takes those of `data.channels`."""
    n_classes: int | None = Field(None, ge=2)
    """Classes; None takes those of the data."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Share of values that are set to zero in training."""

    def sizes(self) -> tuple[int, int]:
        """Return channels and classes.

        Raises:
            RecipeError: if the data have not decided them yet.
        """
        if self.n_channels is None or self.n_classes is None:
            raise RecipeError(
                f"model {self.name!r}: n_channels and n_classes are not known. Training takes them from the data; "
                "without data give both"
            )
        return self.n_channels, self.n_classes


class LSTM(ClassifierConfig):
    """The last state of an LSTM along a spectrum (`represent: [{name: fft}]`) or a record."""

    name: str = "lstm"
    hidden: int = Field(64, ge=1)
    """Width of its state."""
    layers: int = Field(2, ge=1)
    """LSTMs on top of each other."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.nn.recurrent.LSTMModel`."""
        from seisloom.nn.recurrent import LSTMModel
        from seisloom.tasks.classification.network import Classifier

        channels, classes = self.sizes()
        model = LSTMModel(channels, classes, self.hidden, self.layers, self.dropout)
        return Classifier(model, n_axes=2, is_sequence=True)


class LSTMAttention(LSTM):
    """The states of an LSTM along a spectrum or a record, pooled by an attention that is learnt."""

    name: str = "lstm_attention"
    heads: int = Field(2, ge=1)
    """Of the attention; `hidden` is a multiple of it."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.nn.recurrent.LSTMAttentionModel`."""
        from seisloom.nn.recurrent import LSTMAttentionModel
        from seisloom.tasks.classification.network import Classifier

        channels, classes = self.sizes()
        model = LSTMAttentionModel(channels, classes, self.hidden, self.layers, self.heads, self.dropout)
        return Classifier(model, n_axes=2, is_sequence=True)


class CNNSpectrogram(ClassifierConfig):
    """Convolutions over a spectrogram (`represent: [{name: stft}]`), about 70 000 parameters."""

    name: str = "cnn_spectrogram"
    widths: tuple[int, ...] = Field((12, 24, 48), min_length=1)
    """Channels of each level."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.nn.classifiers.SpectrogramCNN`."""
        from seisloom.nn.classifiers import SpectrogramCNN
        from seisloom.tasks.classification.network import Classifier

        return Classifier(SpectrogramCNN(*self.sizes(), widths=self.widths, dropout=self.dropout), n_axes=3)


class CNNWaveform(ClassifierConfig):
    """Convolutions along the waveform itself."""

    name: str = "cnn_waveform"
    widths: tuple[int, ...] = Field((16, 32, 48, 64), min_length=1)
    """Channels of each level; each is a quarter as long as the one before."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.nn.classifiers.WaveformCNN`."""
        from seisloom.nn.classifiers import WaveformCNN
        from seisloom.tasks.classification.network import Classifier

        return Classifier(WaveformCNN(*self.sizes(), widths=self.widths, dropout=self.dropout), n_axes=2)


class Rocket(ClassifierConfig):
    """Thousands of fixed convolutions and a linear head that is fitted in closed form: minutes on a CPU."""

    is_closed_form: ClassVar[bool] = True

    name: str = "rocket"
    kind: Literal["mini", "multi"] = "mini"
    """mini: how often each convolution exceeds its thresholds; multi: also how far, where and how long, and of the
    first difference too."""
    n_features: int = Field(9996, ge=84)
    """Numbers that the head is linear in."""
    n_time: int | None = Field(None, ge=10)
    """Samples of a window; None takes those of the data."""
    class_weight: Literal["none", "balanced"] = "balanced"
    """balanced: a rare class counts as much as a common one."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the network, not yet fitted; see `seisloom.nn.rocket` and `seisloom.nn.ridge`."""
        from seisloom.tasks.classification.network import RocketClassifier

        if self.n_time is None:
            raise RecipeError(
                "model 'rocket': n_time is not known. Training takes it from the data; without data give it"
            )
        return RocketClassifier(
            *self.sizes(), self.n_time, multi=self.kind == "multi", n_features=self.n_features,
            is_balanced=self.class_weight == "balanced",
        )  # fmt: skip


class RandomForest(ClassifierConfig):
    """A random forest on physical features of the window: the baseline that a network has to beat."""

    is_closed_form: ClassVar[bool] = True

    name: str = "random_forest"
    kind: Literal["random", "extra"] = "random"
    """random: each tree on a draw of the items, split where it parts them best; extra: each on all items, split at
    places that are drawn, which follows few events less closely."""
    n_trees: int = Field(300, ge=1)
    """Trees."""
    max_leaves: int = Field(256, ge=2)
    """Most leaves of a tree."""
    class_weight: Literal["none", "balanced"] = "balanced"
    """balanced: a rare class counts as much as a common one."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the forest, not yet grown; see `seisloom.nn.forest` and `seisloom.signal.event_features`."""
        from seisloom.tasks.classification.network import FeatureForest

        return FeatureForest(
            self.sizes()[1], n_trees=self.n_trees, max_leaves=self.max_leaves,
            is_balanced=self.class_weight == "balanced", is_extra=self.kind == "extra",
        )  # fmt: skip
