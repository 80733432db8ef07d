import numpy as np
import pytest
import torch

from seisloom.metrics.onset import HitRate, OnsetMAE
from seisloom.metrics.picks import hit_rate


def error(outputs: dict, batch: dict) -> torch.Tensor:
    return torch.where(batch["has"], outputs["time"] - batch["time"], torch.nan)


def test_training_metrics_agree_with_those_of_evaluation_over_batches() -> None:
    rng = np.random.default_rng(0)
    truth, predicted, has = rng.uniform(size=40), rng.uniform(size=40), rng.uniform(size=40) < 0.7
    hits, mae = HitRate(0.2, error), OnsetMAE(error)
    for part in np.array_split(np.arange(40), 3):
        outputs = {"time": torch.tensor(predicted[part])}
        batch = {"time": torch.tensor(truth[part]), "has": torch.tensor(has[part])}
        hits.update(outputs, batch)
        mae.update(outputs, batch)
    e = (predicted - truth)[has]
    assert hits.compute().item() == pytest.approx(hit_rate(e, 0.2))
    assert mae.compute().item() == pytest.approx(np.abs(e).mean(), rel=1e-6)


def test_before_any_onset_they_are_not_defined() -> None:
    hits, mae = HitRate(0.2, error), OnsetMAE(error)
    batch = {"time": torch.zeros(3), "has": torch.zeros(3, dtype=torch.bool)}
    for metric in (hits, mae):
        metric.update({"time": torch.zeros(3)}, batch)
        assert metric.compute().isnan()
