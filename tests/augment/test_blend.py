"""Blended shots: the second one has its level and its time on each trace, whatever the size of the bank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seisloom.augment.augmentation import augment
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.augment.blend import Blended, shifted
from seisloom.augment.pieces import fitted_pieces
from seisloom.errors import DataError
from seisloom.sample import Field, Schema
from seisloom.testing import check_augmentation

PANEL = Schema(
    (Field("x", ("line", "trace", "time")), Field("live", ("line", "trace")), Field("fs", (), "float64", "Hz"))
)


def panels(n_item: int = 6, n_line: int = 1, n_trace: int = 12, n_time: int = 150) -> Batch:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_item, n_line, n_trace, n_time)).astype(np.float32)
    live = np.ones(x.shape[:3], np.float32)
    live[:, :, 3] = 0
    x[:, :, 3] = 0
    arrays = {"x": x, "live": live, "fs": np.full(n_item, 250.0)}
    keys = tuple(f"panel-{k}" for k in range(n_item))
    return Batch({name: torch.from_numpy(one) for name, one in arrays.items()}, keys, PANEL)


@pytest.mark.parametrize("n_line", [1, 3])
def test_the_contract_holds_for_panels_and_cubes(n_line: int) -> None:
    check_augmentation(Blended(), batch=panels(n_line=n_line))


def test_what_is_added_is_the_reversed_gather_late_by_the_drawn_times() -> None:
    batch = panels()
    changed, drawn = augment(batch, [Blended(dither_s=0.1, delay=0.2)], seed=0)
    before = batch.arrays["x"].double().numpy()
    added = changed.arrays["x"].double().numpy() - before
    for item, row in enumerate(drawn):
        values = {name.split(".")[-1]: value for name, value in row.items()}
        expected = np.zeros_like(before[item])
        for trace in range(12):
            late = int(np.rint(values["delay"] * 150 + values["dither"][0, trace] * 25))
            assert abs(late) <= 0.2 * 150 + 25 + 1
            other = before[item, 0, 11 - trace]
            if late >= 0:
                expected[0, trace, late:] = other[: 150 - late]
            else:
                expected[0, trace, :late] = other[-late:]
        expected[0, 3] = 0
        level = 10 ** (-values["snr_db"] / 10)
        expected *= np.sqrt(level * (before[item] ** 2).mean() / (expected**2).mean())
        np.testing.assert_allclose(added[item], expected, atol=1e-5)


def test_shifts_fill_with_zeros() -> None:
    x = torch.arange(1.0, 5.0).repeat(3, 1)
    found = shifted(x, torch.tensor([[1.0], [-2.0], [9.0]]))
    assert found.tolist() == [[0, 1, 2, 3], [3, 4, 0, 0], [0, 0, 0, 0]]


def test_a_bank_of_another_size_gives_neighbours_and_goes_on_mirrored() -> None:
    record = np.arange(6.0)[:, None] * 100 + np.arange(30.0)
    bank = Bank.of(["a"], {"x": record[None]})
    rng = np.random.default_rng(0)
    for n_trace, n_time in ((4, 20), (9, 20), (4, 45), (13, 70)):
        like = torch.zeros(5, 1, n_trace, n_time)
        found = fitted_pieces(bank, *rng.random((3, 5)), like, ["p"] * 5).numpy()[:, 0]
        assert found.shape == (5, n_trace, n_time)
        trace, time = found // 100, found % 100
        # Rows and times are neighbours everywhere: a step of one, either way, and 0 nowhere
        assert (np.abs(np.diff(trace, axis=1)) == 1).all()
        assert (np.abs(np.diff(time, axis=2)) == 1).all()
        assert np.ptp(trace[0]) == min(n_trace, 6) - 1


def test_the_second_shot_comes_from_a_file(tmp_path: Path) -> None:
    shots = np.random.default_rng(1).standard_normal((3, 20, 400)).astype(np.float32)
    np.savez(tmp_path / "shots.npz", x=shots)
    entry = Blended(source="bank", bank=str(tmp_path / "shots.npz"), low_db=0, high_db=0)
    assert not entry.takes_partners
    batch = panels()
    changed, _ = augment(batch, [entry], seed=0)
    before, after = (one.arrays["x"].double().numpy() for one in (batch, changed))
    power = ((after - before) ** 2).mean(axis=(1, 2, 3)) / (before**2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(power, 1.0, rtol=1e-4)
    assert not after[:, :, 3].any()
    assert Blended(source="bank").takes_partners
    with pytest.raises(DataError, match="needs a bank"):
        augment(batch, [Blended(source="bank")], seed=0)
