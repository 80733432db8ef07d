"""Masks against their closed form: peak, width, window, gaps, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.errors import DataError
from seisloom.tasks.dispersion.masks import mask_arrays, render_masks

VELOCITY = torch.linspace(100, 900, 161, dtype=torch.float64)  # 5 m/s a bin
FREQUENCY = torch.linspace(3, 30, 28, dtype=torch.float64)
NAN = float("nan")


def curves(*modes: float) -> torch.Tensor:
    """One item with modes that fall with frequency from these velocities to half of them."""
    return torch.tensor(modes, dtype=torch.float64)[None, :, None] / (1 + (FREQUENCY - 3) / 27)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [{"length_m": 46.0}, {"blur_sigma_px": 1.5}, {"blur_sigma_px": 0.2}])
def test_the_nearest_bin_is_exactly_one_wherever_the_curve_runs(dtype: torch.dtype, width: dict[str, float]) -> None:
    c = curves(333.3, 517.1, 901.0).to(dtype)
    masks = render_masks(c, FREQUENCY, VELOCITY, **width)
    assert masks.shape == (1, 3, 161, 28)
    assert masks.dtype == dtype
    peak = masks.amax(dim=2)
    assert (peak[~(c > 900)] == 1).all()
    nearest = (VELOCITY[:, None] - c[0, 0]).abs().argmin(dim=0)
    assert (masks[0, 0, nearest, torch.arange(28)] == 1).all()


def test_a_curve_on_a_bin_gives_a_gaussian_as_wide_as_the_array_resolves() -> None:
    c = torch.full((2, 1, 28), 300.0, dtype=torch.float64)
    length_m = torch.tensor([40.0, 5000.0])
    masks = render_masks(c, FREQUENCY, VELOCITY, length_m=length_m)
    for item, length in enumerate(length_m.tolist()):
        sigma = np.maximum(5.0, 0.4 * 300.0**2 / (FREQUENCY.numpy() * length))  # 5 m/s: one bin
        truth = np.exp(-((VELOCITY.numpy()[:, None] - 300) ** 2) / (2 * sigma**2))
        np.testing.assert_allclose(masks[item, 0].numpy(), truth, rtol=1e-12, atol=1e-30)
    assert (render_masks(c, FREQUENCY, VELOCITY, blur_sigma_px=2.0)[0, 0, 42] == np.exp(-0.5)).all()  # 310 m/s, 1 sigma


def test_between_two_bins_the_mask_leans_to_the_nearer_one_and_does_not_jump() -> None:
    def at(velocity: float) -> torch.Tensor:
        return render_masks(torch.full((1, 1, 28), velocity, dtype=torch.float64), FREQUENCY, VELOCITY, blur_sigma_px=1)

    leaning = at(301.0)[0, 0, :, 0]
    assert leaning[40] == 1
    assert leaning[41] > leaning[39]
    truth = np.exp(-((305 - 301) ** 2 - (300 - 301) ** 2) / (2 * 25))
    assert leaning[41].item() == pytest.approx(truth, rel=1e-12)
    assert (at(302.5 - 1e-9) - at(302.5 + 1e-9)).abs().max() < 1e-8
    assert (at(302.5)[0, 0, 40:42] == 1).all()


def test_nothing_is_drawn_outside_the_window_nor_where_there_is_no_mode() -> None:
    c = curves(1200.0, 150.0)
    c[0, 0, 5] = NAN
    masks = render_masks(c, FREQUENCY, VELOCITY, length_m=20.0)
    out = ~((c >= 100) & (c <= 900))
    assert out.any()
    assert not out.all()
    assert (masks.movedim(2, -1)[out] == 0).all()
    assert (masks.movedim(2, -1)[~out].amax(-1) == 1).all()
    on_the_border = torch.full((1, 1, 28), 900.0, dtype=torch.float64)
    assert (render_masks(on_the_border, FREQUENCY, VELOCITY, length_m=20.0)[0, 0, -1] == 1).all()


def test_a_line_is_one_bin_wide_and_a_blurred_one_is_about_that_bin() -> None:
    c = curves(333.3)
    line = render_masks(c, FREQUENCY, VELOCITY, antialiased=False)
    assert (line.sum(dim=2) == 1).all()
    assert torch.equal(line.argmax(dim=2)[0, 0], (VELOCITY[:, None] - c[0, 0]).abs().argmin(dim=0))
    blurred = render_masks(c, FREQUENCY, VELOCITY, antialiased=False, blur_sigma_px=1.5)[0, 0]
    k = int(line[0, 0, :, 3].argmax())
    np.testing.assert_allclose(blurred[k - 3 : k + 4, 3], np.exp(-(np.arange(-3, 4) ** 2) / 4.5), rtol=1e-9)


@pytest.mark.parametrize("width", [{"length_m": torch.tensor([30.0, 2000.0])}, {"blur_sigma_px": 1.5}])
def test_the_gradient_is_that_of_differences(width: dict[str, float]) -> None:
    torch.manual_seed(0)
    velocity, frequency = VELOCITY[::4], FREQUENCY[::5]
    # Off the places where two bins are equally near, at which the mask has a kink
    nearest = velocity[torch.randint(0, len(velocity), (2, 2, len(frequency)))]
    c = (nearest + 8 * (torch.rand(nearest.shape, dtype=torch.float64) - 0.5)).clamp(101, 899).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: render_masks(x, frequency, velocity, **width), c)


def test_gaps_and_zero_frequency_leak_no_nan_into_masks_or_gradients() -> None:
    c = curves(1200.0, 300.0)
    c[0, 1, ::3] = NAN
    c[0, 0, 2] = float("inf")
    c.requires_grad_()
    masks = render_masks(c, FREQUENCY - 3, VELOCITY, length_m=30.0)  # the first one is 0 Hz
    assert masks.isfinite().all()
    assert (masks[..., 0] == 0).all()
    (masks**2).sum().backward()
    assert c.grad is not None
    assert c.grad.isfinite().all()
    assert (c.grad[~((c >= 100) & (c <= 900))] == 0).all()
    assert (c.grad != 0).any()


def test_single_precision_keeps_six_digits() -> None:
    c = curves(333.3, 871.7)
    single = render_masks(c.float(), FREQUENCY.float(), VELOCITY.float(), length_m=46.0)
    # float32 curves are off by 3e-5 m/s, which at the steepest place of a 5 m/s wide mask is 4e-6
    np.testing.assert_allclose(single, render_masks(c, FREQUENCY, VELOCITY, length_m=46.0), atol=1e-5)


def test_items_have_lengths_and_frequencies_of_their_own() -> None:
    c = torch.cat([curves(300.0, 500.0), curves(400.0, 700.0)])
    lengths, axes = torch.tensor([23.0, 92.0]), torch.stack([FREQUENCY, 2 * FREQUENCY])
    both = render_masks(c, axes, VELOCITY, length_m=lengths)
    for k in range(2):
        torch.testing.assert_close(both[k], render_masks(c[k : k + 1], axes[k], VELOCITY, length_m=lengths[k])[0])


def test_arrays_are_those_of_the_tensors() -> None:
    c = curves(333.3, 871.7)
    found = mask_arrays(c[0].numpy(), FREQUENCY.numpy(), VELOCITY.numpy(), length_m=46.0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, render_masks(c, FREQUENCY, VELOCITY, length_m=46.0)[0].float())


def test_mistakes_are_said() -> None:
    c = curves(300.0)
    with pytest.raises(DataError, match="length_m, the array's, or blur_sigma_px"):
        render_masks(c, FREQUENCY, VELOCITY)
    with pytest.raises(DataError, match="item, mode, frequency"):
        render_masks(c[0], FREQUENCY, VELOCITY, length_m=1.0)
    with pytest.raises(DataError, match="does not fit curves"):
        render_masks(c, FREQUENCY[1:], VELOCITY, length_m=1.0)
    with pytest.raises(DataError, match="one for each item"):
        render_masks(c, FREQUENCY, VELOCITY, length_m=torch.ones(3))
    with pytest.raises(DataError, match="at least 2 velocities"):
        render_masks(c, FREQUENCY, VELOCITY[:1], length_m=1.0)
    with pytest.raises(DataError, match="must be positive"):
        mask_arrays(c[0].numpy(), FREQUENCY.numpy(), VELOCITY.numpy(), length_m=0.0)
    with pytest.raises(DataError, match="must rise"):
        mask_arrays(c[0].numpy(), FREQUENCY.numpy(), VELOCITY.numpy()[::-1], length_m=1.0)
