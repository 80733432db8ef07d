"""The room's networks as entries of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from seisloom.config import ModelConfig
from seisloom.errors import RecipeError
from seisloom.sample import Schema
from seisloom.signal.feature_families import Family
from seisloom.tasks.classification.words import listed

if TYPE_CHECKING:
    from torch import nn

    from seisloom.tasks.classification.network import Features


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


class FeatureTable(ClassifierConfig):
    """Keys that classifiers on features of the window share."""

    is_closed_form: ClassVar[bool] = True

    features: tuple[Family, ...] = Field(("physical",), min_length=1)
    """Which ones: physical, of the window as a whole; bands, how it grows and dies away in each of five bands; snr,
    power behind the onset over that of noise before it, by band and time; detection, whether something begins in the
    window, for noise against event. What is not defined in a window, such as snr without noise before the onset, takes
    its median in training."""
    noise_s: float = Field(0.0, ge=0)
    """How much of the window's beginning is noise alone, in s: only snr looks at it. Windows for it begin long before
    the onset: with data.before_s=50 data.window_s=100, and 40 here, the other features see 10 s before it to 50 s
    behind it."""
    onset_s: float | None = Field(None, ge=0)
    """Where in the window snr expects the onset, in s; None takes `data.before_s`."""
    class_weight: Literal["none", "balanced"] = "balanced"
    """balanced: a rare class counts as much as a common one."""

    @field_validator("features", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:  # Any: not yet validated
        """Take physical,bands as the command line says it."""
        return listed(names)

    def table(self) -> Features:
        """Return the columns of the table."""
        from seisloom.tasks.classification.network import Features

        return Features(self.features, self.noise_s, self.onset_s)


class RandomForest(FeatureTable):
    """A random forest on physical features of the window: the baseline that a network has to beat."""

    name: Literal["random_forest"] = "random_forest"
    kind: Literal["random", "extra"] = "random"
    """random: each tree on a draw of the items, split where it parts them best; extra: each on all items, split at
    places that are drawn, which follows few events less closely."""
    n_trees: int = Field(300, ge=1)
    """Trees."""
    max_leaves: int = Field(256, ge=2)
    """Most leaves of a tree."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the forest, not yet grown; see `seisloom.nn.forest` and `seisloom.signal.feature_families`."""
        from seisloom.tasks.classification.network import FeatureForest

        return FeatureForest(
            self.table(), self.sizes()[1], n_trees=self.n_trees, max_leaves=self.max_leaves,
            is_balanced=self.class_weight == "balanced", is_extra=self.kind == "extra",
        )  # fmt: skip


class SupportVectorMachine(FeatureTable):
    """A support vector machine with radial basis functions on features of the window: few events, many features."""

    name: Literal["svm"] = "svm"
    cost: float = Field(0.5, gt=0)
    """Of an item on the wrong side of the margin (C); a small one follows single items less closely."""
    gamma: float | None = Field(None, gt=0)
    """Inverse square of the width of the functions, of features of deviation 1; None takes one over their number."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the machine, not yet fitted; see `seisloom.nn.support` and `seisloom.signal.feature_families`."""
        from seisloom.nn.support import SupportVectors
        from seisloom.tasks.classification.network import FeatureHead

        table = self.table()
        is_balanced = self.class_weight == "balanced"
        head = SupportVectors(len(table), self.sizes()[1])
        return FeatureHead(table, head, is_balanced=is_balanced, cost=self.cost, gamma=self.gamma)


class LogisticRegression(FeatureTable):
    """Logistic regression with a penalty on features of the window: what a straight line through them tells."""

    name: Literal["logistic"] = "logistic"
    cost: float | None = Field(None, gt=0)
    """Inverse penalty (C) of features of deviation 1; None chooses it by leaving whole groups of `split.by` out."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the regression, not yet fitted; see `seisloom.nn.logistic` and `seisloom.signal.feature_families`."""
        from seisloom.nn.logistic import Logistic
        from seisloom.tasks.classification.network import FeatureHead

        table = self.table()
        head = Logistic(len(table), self.sizes()[1])
        return FeatureHead(table, head, is_balanced=self.class_weight == "balanced", cost=self.cost)


Member = RandomForest | SupportVectorMachine | LogisticRegression


class Vote(ClassifierConfig):
    """Several classifiers on features of the window that speak together: a forest and a machine err otherwise."""

    is_closed_form: ClassVar[bool] = True

    name: str = "vote"
    members: tuple[Annotated[Member, Field(discriminator="name")], ...] = Field(
        ({"name": "random_forest", "kind": "extra"}, {"name": "svm", "features": ("physical", "bands")}),
        min_length=1, validate_default=True,
    )  # fmt: skip
    """Of the kinds random_forest, svm, logistic, each with its own keys."""
    mean: Literal["logits", "probabilities"] = "logits"
    """Of what: logits trust the surer one; probabilities let none overrule the others."""

    @field_validator("members", mode="before")
    @classmethod
    def _by_name(cls, members: Any) -> Any:  # Any: not yet validated
        """Take [svm, logistic] for members with their usual keys."""
        return [{"name": one} if isinstance(one, str) else one for one in listed(members)]

    def build(self, schema: Schema) -> nn.Module:
        """Return the classifiers, not yet fitted."""
        from seisloom.tasks.classification.network import Vote

        sizes = dict(zip(("n_channels", "n_classes"), self.sizes(), strict=True))
        members = [one.model_copy(update=sizes).build(schema) for one in self.members]
        return Vote(members, is_product=self.mean == "logits")
