"""What a denoiser relies on: any size, any amplitude, and nothing that comes round the latent."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seisloom.nn.autoencoder import Autoencoder
from seisloom.nn.unet import UNet

WIDE = (4, 6, 8)
SIZES = [
    (1, (37,)), (1, (1,)), (1, (3,)), (2, (33, 20)), (2, (1, 9)), (2, (5, 1)), (3, (9, 6, 7)), (3, (16, 1, 1)),
    (3, (2, 3, 1)),
]  # fmt: skip


def autoencoder(dims: int, *, latent: int = 3, widths: tuple[int, ...] = WIDE) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(dims, 2, 1, widths=widths, latent=latent).double()


@pytest.mark.parametrize(("dims", "size"), SIZES)
def test_any_size_goes_through_and_comes_back(dims: int, size: tuple[int, ...]) -> None:
    net, x = autoencoder(dims), torch.randn(2, 2, *size, dtype=torch.float64)
    out = net(x)
    assert out.shape == (2, 1, *size)
    assert bool(out.isfinite().all())
    assert net.encode(x).shape == (2, 3, *(-(-n // net.multiple) for n in size))


def test_the_output_is_what_the_latent_says() -> None:
    net, x = autoencoder(2), torch.randn(2, 2, 21, 10, dtype=torch.float64)
    latent = net.encode(x)
    assert torch.equal(net.decode(latent, (21, 10)), net(x))
    other = net.decode(latent + torch.randn_like(latent), (21, 10))
    assert not torch.allclose(other, net(x))


def rank(jacobian: Tensor) -> int:
    return int(torch.linalg.matrix_rank(jacobian, rtol=1e-9))


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_no_more_comes_out_than_the_latent_holds(latent: int) -> None:
    net = autoencoder(1, latent=latent)
    n = 4 * net.multiple  # four latent vectors
    x = torch.randn(1, 2, n, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda given: net(given).flatten(), x)  # type: ignore[no-untyped-call]
    assert rank(jacobian.reshape(n, -1)) == 4 * latent
    # A network with skip connections lets every sample through
    unet = UNet(1, 2, decoders={"clean": 1}, widths=WIDE, homogeneous=True).double()
    jacobian = torch.autograd.functional.jacobian(lambda given: unet(given)["clean"].flatten(), x)  # type: ignore[no-untyped-call]
    assert rank(jacobian.reshape(n, -1)) == n


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_the_output_is_linear_in_the_amplitude(dims: int) -> None:
    net, x = autoencoder(dims), torch.randn(1, 2, *(9,) * dims, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(net(1e6 * x), 1e6 * net(x))
        assert float(net(1e6 * x).abs().max()) > 1e3


def test_every_weight_learns() -> None:
    net = autoencoder(2)
    net(torch.randn(3, 2, 17, 12, dtype=torch.float64)).square().sum().backward()
    assert [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()] == []


def test_a_tile_does_not_see_how_loud_its_far_half_is() -> None:
    net = autoencoder(1)
    quiet = torch.randn(1, 2, 400, dtype=torch.float64)
    loud = quiet.clone()
    loud[..., 300:] *= 100
    with torch.inference_mode():
        apart = (net(loud) - net(quiet))[..., :200]
    assert not apart.any()


def test_the_same_seed_gives_the_same_network() -> None:
    x = torch.randn(1, 2, 40, 24, dtype=torch.float64)
    assert torch.equal(autoencoder(2)(x), autoencoder(2)(x))


def test_one_level_has_its_latent_at_full_resolution() -> None:
    net, x = autoencoder(2, widths=(4,)), torch.randn(1, 2, 7, 5, dtype=torch.float64)
    assert net.multiple == 1
    assert net.encode(x).shape == (1, 3, 7, 5)
    assert net(x).shape == (1, 1, 7, 5)


@pytest.mark.parametrize("wrong", [{"dims": 4}, {"latent": 0}, {"widths": ()}, {"n_blocks": 0}])
def test_what_cannot_be_built_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs dims of 1, 2 or 3"):
        Autoencoder(**{"dims": 2, "n_in": 1, "n_out": 1, "widths": (4,), "latent": 1, **wrong})  # type: ignore[arg-type]
