import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.utilities import dim_zero_sum

from seisloom.config import MetricConfig
from seisloom.metrics import horizons, image, orientation, overlap
from seisloom.metrics.volumes import DhrSsim, FaultAngle, FaultF1, HorizonError, RgtHorizonError, TolerantF1, near

SHAPE = (3, 5, 13, 24)
METRICS = (FaultF1(), FaultAngle(), RgtHorizonError(), DhrSsim())


def batch_of(seed: int, n_items: int = 3) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Random outputs and labels, some of them not known."""
    rng = np.random.default_rng(seed)
    shape = (n_items, *SHAPE[1:])
    rgt = np.arange(shape[-1]) + np.sin(np.arange(shape[2]))[:, None] + rng.normal(0, 0.2, shape)
    dhr = rng.normal(size=shape)
    dip = rng.uniform(0, 180, shape)
    outputs = {
        "fault": rng.normal(-2, 2, shape),
        "normal": rng.normal(size=(n_items, 3, *shape[1:])),
        "rgt": rgt + rng.normal(0, 0.3, shape),
        "dhr": dhr + 0.3 * rng.normal(size=shape),
    }
    batch = {
        "fault": rng.choice([-1, 0, 1], size=shape, p=[0.1, 0.85, 0.05]).astype(np.int8),
        "dip": np.where(rng.uniform(size=shape) < 0.1, np.nan, dip),
        "strike": rng.uniform(0, 180, shape),
        "rgt": rgt,
        "dhr": np.where(np.arange(shape[-1]) < 2, np.nan, dhr),
    }
    return *({name: torch.from_numpy(one) for name, one in arrays.items()} for arrays in (outputs, batch)),  # fmt: skip


def numpy_of(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: one.numpy() for name, one in tensors.items()}


@pytest.mark.parametrize("config", METRICS, ids=lambda one: one.name)
def test_batches_add_up_to_one(config: MetricConfig) -> None:
    outputs, batch = batch_of(0)
    whole, parts = config.build(), config.build()
    whole.update(outputs, batch)
    for item in range(3):
        parts.update(*({name: one[item : item + 1] for name, one in part.items()} for part in (outputs, batch)))
    assert parts.compute().item() == pytest.approx(whole.compute().item(), rel=1e-5)


@pytest.mark.parametrize("config", METRICS, ids=lambda one: one.name)
def test_processes_add_up_to_one(config: MetricConfig) -> None:
    one, other, both = (config.build() for _ in range(3))
    for metric, seeds in ((one, (1,)), (other, (2,)), (both, (1, 2))):
        for seed in seeds:
            metric.update(*batch_of(seed))
    # What processes do: the states are summed
    assert set(one._reductions.values()) == {dim_zero_sum}
    for state in one._defaults:
        setattr(one, state, getattr(one, state) + getattr(other, state))
    assert one.compute().item() == pytest.approx(both.compute().item(), rel=1e-5)


@pytest.mark.parametrize("config", METRICS, ids=lambda one: one.name)
@pytest.mark.parametrize("missing", ["outputs", "batch"])
def test_a_missing_output_or_label_is_passed_over(config: MetricConfig, missing: str) -> None:
    outputs, batch = batch_of(0)
    metric = config.build()
    metric.update({} if missing == "outputs" else outputs, {} if missing == "batch" else batch)
    assert metric.compute().isnan()


@pytest.mark.parametrize("config", METRICS, ids=lambda one: one.name)
def test_labels_that_nobody_knows_give_nan(config: MetricConfig) -> None:
    outputs, batch = batch_of(0)
    unknown = {name: torch.full_like(one, -1 if name == "fault" else torch.nan) for name, one in batch.items()}
    metric = config.build()
    metric.update(outputs, unknown)
    assert metric.compute().isnan()


@given(mask=arrays(bool, (2, 3, 4, 6)), distance=st.sampled_from([0, 1, 1.5, 2, 3.7]))
def test_near_is_within_the_euclidean_distance(mask: np.ndarray, distance: float) -> None:
    wanted = np.stack([overlap.distance_to(one) <= distance for one in mask])
    np.testing.assert_array_equal(near(torch.from_numpy(mask), distance).numpy(), wanted)


@pytest.mark.parametrize("tolerance", [0.0, 2.0])
def test_f1_is_that_of_evaluation_without_thinning(tolerance: float) -> None:
    outputs, batch = batch_of(3)
    metric = TolerantF1(0.3, tolerance)
    metric.update(outputs, batch)
    said = 1 / (1 + np.exp(-outputs["fault"].numpy())) >= 0.3
    truth = batch["fault"].numpy()
    matches = [
        overlap.match_all(s, t == 1, overlap.known_voxels(t), [tolerance])[0] for s, t in zip(said, truth, strict=True)
    ]
    assert metric.compute().item() == pytest.approx(sum(matches, overlap.Matches()).f1)


def test_f1_of_empty_ones_is_that_of_evaluation() -> None:
    none, some = torch.full((1, 2, 3, 4), -9.0), torch.full((1, 2, 3, 4), 9.0)
    for logit, label, wanted in ((none, 0, 1.0), (none, 1, 0.0), (some, 0, 0.0), (some, 1, 1.0)):
        metric = FaultF1().build()
        metric.update({"fault": logit}, {"fault": torch.full((1, 2, 3, 4), label)})
        assert metric.compute() == wanted


def test_the_angle_is_that_of_evaluation() -> None:
    outputs, batch = batch_of(4, n_items=1)
    metric = FaultAngle().build()
    metric.update(outputs, batch)
    ours, labels = numpy_of(outputs), numpy_of(batch)
    scores = orientation.orientation_scores(
        ours["normal"][0], labels["dip"][0], labels["strike"][0], labels["fault"][0]
    )
    assert metric.compute().item() == pytest.approx(scores["true"]["normal_mean"], rel=1e-5)


def test_a_normal_of_length_0_is_not_right() -> None:
    outputs, batch = batch_of(4)
    metric = FaultAngle().build()
    metric.update({"normal": 0 * outputs["normal"]}, batch)
    assert metric.compute().item() == pytest.approx(90)


def test_the_horizon_error_is_that_of_evaluation_up_to_a_fraction_of_a_sample() -> None:
    outputs, batch = batch_of(5, n_items=1)
    metric = RgtHorizonError(n_horizons=6).build()
    metric.update(outputs, batch)
    truth = batch["rgt"][0].numpy()
    levels = horizons.reference_levels(truth, 6)
    scores = horizons.horizon_scores(outputs["rgt"][0].numpy(), truth, levels=levels)["all"]
    assert metric.compute().item() == pytest.approx(scores["mean"], abs=0.05)
    assert metric.n_points == scores["n"]


def test_a_lowered_volume_has_no_error_and_a_lowered_block_has_its_shift() -> None:
    truth = (torch.arange(40.0) * torch.ones(1, 6, 7, 1)).clone()
    whole, block = HorizonError(4), HorizonError(4)
    whole.update({"rgt": 3 * truth - 7}, {"rgt": truth})
    lowered = truth.clone()
    lowered[:, :2] -= 3
    block.update({"rgt": lowered}, {"rgt": truth})
    assert whole.compute().item() == pytest.approx(0, abs=1e-5)
    assert block.compute().item() == pytest.approx(1, abs=1e-5)


def test_a_flat_prediction_is_far_from_every_horizon() -> None:
    truth = torch.arange(40.0) * torch.ones(1, 6, 7, 1)
    metric = HorizonError(4)
    metric.update({"rgt": torch.zeros_like(truth)}, {"rgt": truth})
    assert metric.compute() > 10


def test_ssim_is_that_of_evaluation() -> None:
    outputs, batch = batch_of(6)
    metric = DhrSsim().build()
    metric.update(outputs, batch)
    wanted = np.mean([image.ssim(p, t) for p, t in zip(outputs["dhr"].numpy(), batch["dhr"].numpy(), strict=True)])
    assert metric.compute().item() == pytest.approx(wanted, abs=1e-5)


def test_half_precision_outputs_are_scored() -> None:
    outputs, batch = batch_of(7)
    for config in METRICS:
        metric = config.build()
        metric.update({name: one.bfloat16() for name, one in outputs.items()}, batch)
        assert metric.compute().isfinite()
