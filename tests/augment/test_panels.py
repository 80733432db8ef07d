"""Augmentations of dispersion panels, and those with partners, against closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seisloom.augment.augmentation import augment
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.augment.events import MixUp, StackEvents
from seisloom.augment.examples import bank_like, gather_batch, spectrum_batch, trace_batch
from seisloom.augment.masks import SpectrumMask
from seisloom.augment.noise import AddNoise
from seisloom.augment.spectrum import ArrayNoise, AxisWarp, Occlusion, SpectrumNoise, array_response
from seisloom.errors import DataError, MissingDataError


def test_panels_get_the_ratio_that_was_drawn() -> None:
    batch = spectrum_batch()
    changed, drawn = augment(batch, [SpectrumNoise(snr_min=0, snr_max=20)], seed=0)
    x, y = (one.arrays["x"].double().flatten(1) for one in (batch, changed))
    found = 10 * torch.log10(x.square().mean(dim=1) / (y - x).square().mean(dim=1))
    np.testing.assert_allclose(found, [row["0.spectrum_noise.snr_db"] for row in drawn], atol=0.01)


def test_one_wave_smears_to_the_response_of_the_array() -> None:
    batch = spectrum_batch()
    spike = torch.zeros_like(batch.arrays["x"])
    spike[:, 0, 40, :] = 1.0
    changed, drawn = augment(batch.with_arrays(x=spike), [ArrayNoise(n_receivers=12)], seed=0)
    c, f = np.linspace(100, 900, 96), np.linspace(3, 30, 60)
    for x, row in zip(changed.arrays["x"].numpy(), drawn, strict=True):
        dx = row["0.array_noise.length_m"] / 11
        dk = 2 * np.pi * f * (1 / c[:, None] - 1 / c[40])
        # The sum itself: receivers at k dx, delayed by the wave and put back by the stack
        expected = np.abs(np.exp(1j * dk[..., None] * dx * np.arange(12)).mean(axis=-1))
        np.testing.assert_allclose(x[0], expected, atol=1e-4)


def test_a_long_array_leaves_a_wave_where_it_is() -> None:
    c, f = torch.linspace(100, 900, 50), torch.tensor([20.0])
    response = array_response(c, f, 1e4, 20_001)[0]
    assert torch.allclose(response.diagonal(), torch.ones(50, dtype=torch.float64))
    assert (response - torch.eye(50)).abs().max() < 0.25


def test_curves_move_with_a_warped_axis() -> None:
    batch = spectrum_batch(n_velocity=200)
    for axis in ("velocity", "frequency"):
        changed, drawn = augment(batch, [AxisWarp(axes=(axis,), strength=0.2)], seed=0)
        for k, row in enumerate(drawn):
            wave = row[f"0.axis_warp.wave_{axis}"]
            n = {"velocity": 200, "frequency": 60}[axis]
            x = np.arange(n) / (n - 1)
            place = (x + sum(a * np.sin(np.pi * (m + 1) * x) for m, a in enumerate(wave))) * (n - 1)
            old, new = (one.arrays["curve"][k].double().numpy() for one in (batch, changed))
            c, f = batch.arrays["velocity_m_s"][k].double().numpy(), np.arange(60.0)
            if axis == "velocity":
                # Bin j shows the bin place[j], so what was at place[j] is at j: c(place[j]) goes to c(j)
                moved = np.interp(np.interp(old, c, np.arange(n)), place, np.arange(n))
                expected = np.interp(moved, np.arange(n), c)
            else:
                expected = np.stack([np.interp(place, f, one) for one in old])
            both = np.isfinite(new) & np.isfinite(expected)
            assert both[0].all()
            np.testing.assert_allclose(new[both], expected[both], atol=0.02)
            assert torch.equal(changed.arrays["velocity_m_s"], batch.arrays["velocity_m_s"])


def test_bands_are_weak_or_gone_and_curves_go_on() -> None:
    batch = spectrum_batch()
    weak, drawn = augment(batch, [Occlusion(share=0.4, keep=0.3)], seed=0)
    for x, y, row in zip(batch.arrays["x"], weak.arrays["x"], drawn, strict=True):
        first, stop = (int(row[f"0.occlusion.{one}"][0]) for one in ("first", "stop"))
        factor = row["0.occlusion.factor"]
        torch.testing.assert_close(y[..., first:stop], x[..., first:stop] * factor, rtol=1e-5, atol=1e-7)
        assert torch.equal(y[..., stop:], x[..., stop:])
    assert torch.equal(weak.arrays["curve"].nan_to_num(-1), batch.arrays["curve"].nan_to_num(-1))
    masked, drawn = augment(batch, [SpectrumMask(axes=("velocity", "frequency"), n_bands=2)], seed=0)
    for y, row in zip(masked.arrays["x"], drawn, strict=True):
        for k in range(2):
            a, b = (int(row[f"0.spectrum_mask.{one}_velocity"][k]) for one in ("first", "stop"))
            assert not y[:, a:b].any()
    with pytest.raises(ValueError, match="none of the axes"):
        augment(batch, [SpectrumMask(axes=("time",))], seed=0)


# --- partners


def test_classes_are_mixed_in_the_parts_of_the_records() -> None:
    batch = trace_batch()
    bank = bank_like(batch)
    changed, drawn = augment(batch, [MixUp(alpha=1.0)], seed=0, bank=bank)
    numbers = bank.numbers(np.array([row["0.mix_up.partner"] for row in drawn]), batch.keys)
    for k, (row, other) in enumerate(zip(drawn, numbers, strict=True)):
        w = row["0.mix_up.weight"]
        assert 0.5 <= w <= 1
        assert bank.keys[other] != batch.keys[k]
        for name in ("x", "y"):
            expected = w * batch.arrays[name][k].numpy() + (1 - w) * bank.arrays[name][other]
            np.testing.assert_allclose(changed.arrays[name][k], expected, atol=1e-5)
    assert torch.allclose(changed.arrays["y"].sum(dim=1), torch.ones(6))


def test_a_second_event_has_its_size_and_its_shift() -> None:
    batch = trace_batch()
    bank = bank_like(batch)
    changed, drawn = augment(batch, [StackEvents()], seed=0, bank=bank)
    added = (changed.arrays["x"] - batch.arrays["x"]).double().numpy()
    for k, row in enumerate(drawn):
        values = {name.split(".")[-1]: value for name, value in row.items()}
        other = bank.arrays["x"][bank.numbers(np.array([values["partner"]]), [batch.keys[k]])[0]].astype(float)
        own = batch.arrays["x"][k].double().numpy()
        factor = 10 ** (values["size_db"] / 20) * np.sqrt((own**2).mean() / (other**2).mean())
        n, shift = other.shape[-1], int(values["shift"])
        expected = np.zeros_like(other)
        expected[:, max(shift, 0) : n + min(shift, 0)] = factor * other[:, max(-shift, 0) : n - max(shift, 0)]
        np.testing.assert_allclose(added[k], expected, atol=1e-4)


def test_real_noise_comes_from_a_file_and_reaches_the_ratio(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(4, 3, 900)).astype(np.float32)
    path = tmp_path / "noise.npz"
    np.savez(path, x=noise, keys=np.array(["d", "a", "c", "b"]))
    batch = trace_batch()
    entry = AddNoise(snr_min=3, snr_max=12, source="bank", bank=str(path))
    changed, drawn = augment(batch, [entry], seed=0)
    added = (changed.arrays["x"] - batch.arrays["x"]).double()
    ratio = 10 * torch.log10(batch.arrays["x"].double().square().mean(dim=(1, 2)) / added.square().mean(dim=(1, 2)))
    np.testing.assert_allclose(ratio, [row["0.add_noise.snr_db"] for row in drawn], atol=0.01)
    for one in added.numpy():
        # A piece of one record of the bank: the largest normalised correlation is 1
        best = max(
            np.abs(np.correlate(real[0].astype(float), one[0], "valid")).max()
            / (np.linalg.norm(one[0]) * np.sqrt((real[0].astype(float) ** 2).sum() * 400 / 900))
            for real in noise
        )
        assert best > 0.9


def test_a_bank_does_not_care_for_the_order_it_was_given_in() -> None:
    batch = trace_batch()
    arrays = {name: one.numpy() for name, one in batch.arrays.items()}
    backwards = Bank.of(batch.keys[::-1], {name: one[::-1] for name, one in arrays.items()})
    one, _ = augment(batch, [StackEvents()], seed=0, bank=bank_like(batch))
    two, _ = augment(batch, [StackEvents()], seed=0, bank=backwards)
    assert torch.equal(one.arrays["x"], two.arrays["x"])


def test_what_a_bank_cannot_give_is_said(tmp_path: Path) -> None:
    batch = trace_batch()
    with pytest.raises(DataError, match="needs a bank"):
        augment(batch, [StackEvents()], seed=0)
    with pytest.raises(MissingDataError, match="no such bank"):
        augment(batch, [StackEvents(bank="nowhere.npz")], seed=0)
    with pytest.raises(DataError, match="have shape"):
        augment(batch, [StackEvents()], seed=0, bank=bank_like(gather_batch()))
    with pytest.raises(DataError, match="unique keys"):
        Bank.of(["a", "a"], {"x": np.zeros((2, 3))})
    with pytest.raises(DataError, match="not finite"):
        Bank.of(["a"], {"x": np.full((1, 3), np.nan)})
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"is not an \.npz"):
        Bank.read(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", y=np.zeros(3))
    with pytest.raises(DataError, match="no array x"):
        Bank.read(tmp_path / "other.npz")
    hard = Batch({"x": batch.arrays["x"]}, batch.keys, batch.schema)
    with pytest.raises(ValueError, match="axis `class`"):
        augment(hard, [MixUp()], seed=0, bank=bank_like(batch))
