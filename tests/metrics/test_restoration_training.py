"""SNR during training: closed forms, which traces count, and the same number as evaluation has."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seisloom.metrics.restoration import missing_snr_db
from seisloom.metrics.restoration_training import RestorationGain, RestorationSnr


def batch(n_items: int = 2) -> dict[str, Tensor]:
    """Panels of 6 traces: 0, 1 live; 2, 3, 4 missing; 5 nobody knows."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(n_items, 1, 6, 50, generator=generator)
    truth[:, :, 5] = torch.nan
    live = torch.tensor([1.0, 1, 0, 0, 0, 0]).expand(n_items, 1, 6)
    known = torch.tensor([1.0, 1, 1, 1, 1, 0]).expand(n_items, 1, 6)
    noisy = torch.where(live[..., None] > 0, 1.5 * truth, 0.0)
    return {"clean": truth, "live": live, "known": known, "x": noisy}


def score(traces: str, output: Tensor, fields: dict[str, Tensor]) -> float:
    metric = RestorationSnr.model_validate({"traces": traces}).build()
    metric.update({"clean": output}, fields)
    return float(metric.compute())


def test_missing_and_kept_traces_have_scores_of_their_own() -> None:
    fields = batch()
    output = fields["clean"].clone()
    output[:, :, :2] *= 1.01  # an error of 1 % of each sample is 40 dB
    output[:, :, 2:5] *= 1.1
    output[:, :, 5] = 1e6
    assert score("missing", output, fields) == pytest.approx(20, abs=1e-3)
    assert score("kept", output, fields) == pytest.approx(40, abs=1e-2)
    assert 20 < score("all", output, fields) < 23


def test_filling_with_zeros_has_0_db_on_missing_traces() -> None:
    fields = batch()
    assert score("missing", torch.zeros(2, 1, 6, 50), fields) == pytest.approx(0, abs=1e-6)


def test_a_gain_is_the_rise_from_what_was_given() -> None:
    fields = batch()
    metric = RestorationGain().build()
    metric.update({"clean": torch.nan_to_num(1.05 * fields["clean"])}, fields)
    assert float(metric.compute()) == pytest.approx(20 * math.log10(0.5 / 0.05), abs=1e-3)


def test_it_is_the_number_that_evaluation_has_and_the_mean_over_batches() -> None:
    fields = batch(3)
    output = torch.nan_to_num(fields["clean"]) + torch.randn(3, 1, 6, 50, generator=torch.Generator().manual_seed(1))
    metric = RestorationSnr().build()
    wanted = []
    for k in range(3):
        one = {name: values[k : k + 1] for name, values in fields.items()}
        metric.update({"clean": output[k : k + 1]}, one)
        is_live = ~((one["live"] == 0) & (one["known"] > 0))[0, 0].numpy()
        truth = np.nan_to_num(one["clean"][0, 0].numpy())
        wanted.append(missing_snr_db(output[k, 0].numpy(), truth, is_live))
    assert float(metric.compute()) == pytest.approx(np.mean(wanted), abs=1e-4)


def test_what_comes_back_to_the_digit_is_finite_and_panels_without_such_traces_are_passed_over() -> None:
    fields = batch()
    assert 130 < score("missing", torch.nan_to_num(fields["clean"]), fields) < 140  # single precision: 2^-23
    whole = fields | {"live": torch.ones(2, 1, 6)}
    assert math.isnan(score("missing", torch.nan_to_num(fields["clean"]), whole))
    silent = fields | {"clean": torch.zeros(2, 1, 6, 50)}
    assert math.isnan(score("missing", torch.ones(2, 1, 6, 50), silent))
