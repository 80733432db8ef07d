"""Recurrent classifiers of sequences (item, sequence, channel): a spectrum from low to high frequency, or a record.

A spectrum is to be given in rising order of frequency. These are the two networks of earthquakes-nn's
`train_lstm.py`, called as there. What differs: its input was a slice of a two-sided FFT that ran from high to low
frequency, with one bin twice and without zero frequency, so that its last state had seen low frequencies last; it
normalised by statistics of the batch, here each item is normalised alone; and its "attention-weighted pooling" was a
plain mean after self-attention, here a learnt query looks for what tells the classes apart.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class LSTMModel(nn.Module):
    """The state of an LSTM after the last step of a sequence, and a linear layer on it."""

    def __init__(self, channels: int, classes: int, hidden: int = 64, layers: int = 2, dropout: float = 0.3) -> None:
        """Build an untrained network.

        Args:
            channels: numbers at each step of the sequence, such as the components Z, N, E.
            classes: number of logits.
            hidden: width of the LSTM's state.
            layers: LSTMs on top of each other.
            dropout: share of values set to zero in training, between layers and before the last one; 0 to 1.
        Raises:
            ValueError: if a number is not positive, or `dropout` no share.
        """
        super().__init__()
        _check(channels=channels, classes=classes, hidden=hidden, layers=layers, dropout=dropout)
        self.lstm = _lstm(channels, hidden, layers, dropout)
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (item, class).

        Args:
            x: (item, sequence, channel), finite where it counts.
            mask: (item, sequence), nonzero where a step counts; others are read as zeros, and the state is taken after
                the last step that counts. None takes all.
        """
        states, live = _states(self.lstm, x, mask)
        places = torch.arange(states.shape[1], device=x.device)
        last = (places * live).amax(dim=1)
        logits: Tensor = self.head(self.norm(states[torch.arange(len(states), device=x.device), last]))
        return logits


class LSTMAttentionModel(nn.Module):
    """The states of an LSTM at all steps, weighted by how well they answer a learnt query, and a linear layer.

    Source: attention pooling by a learnt seed, of heads as in Vaswani et al. (2017): Lee et al. (2019), Set
    transformer, arXiv 1810.00825, pooling with one seed vector.
    """

    def __init__(
        self, channels: int, classes: int, hidden: int = 64, layers: int = 2, heads: int = 2, dropout: float = 0.3
    ) -> None:
        """Build an untrained network.

        Args:
            channels, classes, hidden, layers, dropout: as `LSTMModel`.
            heads: of the attention; `hidden` is a multiple of it.
        Raises:
            ValueError: as `LSTMModel`, or if `hidden` is no multiple of `heads`.
        """
        super().__init__()
        _check(channels=channels, classes=classes, hidden=hidden, layers=layers, heads=heads, dropout=dropout)
        if hidden % heads:
            raise ValueError(f"hidden={hidden} is no multiple of heads={heads}: each head takes an equal part of it")
        self.lstm = _lstm(channels, hidden, layers, dropout)
        self.norm = nn.LayerNorm(hidden)
        # Drawn small: the first weights are then nearly those of a plain mean
        self.query = nn.Parameter(0.02 * torch.randn(hidden))
        self.attention = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.pooled_norm = nn.LayerNorm(hidden)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (item, class); arguments as those of `LSTMModel`."""
        return cast("Tensor", self.head(self._pool(x, mask)[0]))

    def attention_weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return how much each step counts, (item, sequence), mean over heads; each row sums to 1, 0 where masked."""
        return self._pool(x, mask)[1]

    def _pool(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what was pooled (item, hidden) and the weights (item, sequence)."""
        states, live = _states(self.lstm, x, mask)
        # Of a sequence without any step that counts the zeros are looked at: nothing at all would be NaN
        hidden = ~live & live.any(dim=1, keepdim=True)
        states = self.norm(states)
        query = self.query.expand(len(x), 1, -1)
        found, weights = self.attention(query, states, states, key_padding_mask=hidden)
        return self.pooled_norm(found[:, 0]), weights[:, 0]


def _lstm(channels: int, hidden: int, layers: int, dropout: float) -> nn.LSTM:
    """The LSTM, with dropout where it has a place to be."""
    return nn.LSTM(channels, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)


def _states(lstm: nn.LSTM, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the states at all steps (item, sequence, hidden), and which steps count (item, sequence)."""
    if x.ndim != 3 or x.shape[-1] != lstm.input_size or x.shape[1] == 0:
        raise ValueError(
            f"input of shape {tuple(x.shape)}: give (item, sequence, channel) with {lstm.input_size} channels and at "
            "least one step"
        )
    live = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if mask is None else mask != 0
    if mask is not None:
        x = torch.where(live[..., None], x, x.new_zeros(()))
    return lstm(x)[0], live


def _check(*, dropout: float, **positive: int) -> None:
    """Refuse sizes that no network has."""
    wrong = {name: value for name, value in positive.items() if value < 1}
    if wrong or not 0 <= dropout < 1:
        raise ValueError(f"{wrong or f'dropout={dropout}'}: sizes are 1 or more, and dropout is at least 0 and below 1")
