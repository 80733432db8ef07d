"""The refinement network: attributes of a first network in, the same attributes with a learnt correction out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.integral import integral
from seisloom.nn.unet import UNet
from seisloom.tasks.interpretation.model import WIDTHS, InterpretationRefiner
from seisloom.tasks.interpretation.network import as_seen, as_steps, flat_steps

SUREST = 5.0
"""Largest logit of a fault that is let in, a probability of 0.993: what is surer than that could not be corrected."""
LOGIT_UNIT = 2.0
"""Logit of a fault that is 1 to the network."""
PRODUCTS = {2: ((0, 1), (1, 2)), 3: ((0, 1, 2), (1, 3, 4), (2, 4, 5))}
"""Channel of each product of two components of a normal, by dimensions: row and column are depth, crossline, inline."""


class RefinementNetwork(nn.Module):
    """A U-Net on the attributes of a first network, and on the image; its untrained correction is exactly 0.

    Nothing that it sees depends on the tile: of relative time it sees the steps from sample to sample, which have no
    constant, and of a normal the products of its components, which have no sign, weighted by the fault's probability.
    So it may be applied again and again to what it gave.

    Source: the scheme of Gao (2024), GJI 236(1), 565-592. Differs in learning a correction, in seeing the image too,
    and in what stands for angles and time, which there are numbers of 0 to 1.
    """

    def __init__(self, config: InterpretationRefiner) -> None:
        super().__init__()
        self.dims, self.tasks, self.image = config.dims, config.tasks, config.image
        n_products = max(map(max, PRODUCTS[config.dims])) + 1
        seen = {"fault": 1 + n_products, "rgt": config.dims, "dhr": 1}
        self.unet = UNet(
            config.dims, int(config.image) + sum(seen[task] for task in config.tasks),
            decoders={task: seen[task] for task in config.tasks},
            widths=config.widths or WIDTHS[config.dims, config.preset], n_blocks=config.n_blocks,
        )  # fmt: skip
        with torch.no_grad():
            for decoder in self.unet.decoders.values():
                for parameter in decoder.get_submodule("head").parameters():
                    parameter.zero_()

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what `InterpretationNetwork` returns, for the tasks that are on.

        Args:
            batch: `x`, (item, 1, *place), scaled amplitude, of which only the shape counts without `image`; and of the
                first guess, in the form of a network's outputs, `guess_fault` (item, *place) logit, `guess_normal`
                (item, 3, *place) of any length and sign, `guess_rgt_steps` (item, axis, *place) in samples, and
                `guess_dhr` (item, *place) on the scale of `x`.
        Returns:
            `fault`, a logit of at most `SUREST` and what is added; `normal`, `rgt_steps`, `rgt` and `dhr`.
        """
        place = batch["x"].shape[2:]
        x = as_seen(batch["x"], self.dims)

        def guess(name: str) -> Tensor:  # (item, channel, *axes that are seen)
            return batch[f"guess_{name}"].to(x.dtype).reshape(len(x), -1, *x.shape[2:])

        channels = [x] if self.image else []
        if "fault" in self.tasks:
            logit = guess("fault").clamp(-SUREST, SUREST)
            products = logit.sigmoid() * products_of(guess("normal")[:, : self.dims])
            channels += [2 * logit.sigmoid() - 1, products]
        if "rgt" in self.tasks:
            # Without the rise of 1 a sample of flat layers; those across faults are as large as their throw
            given = guess("rgt_steps")[:, -self.dims :]
            change = given - flat_steps(given)
            channels.append(change.asinh())
        if "dhr" in self.tasks:
            channels.append(guess("dhr"))
        found = self.unet(torch.cat(channels, dim=1))
        outputs = {}
        if "fault" in found:
            outputs["fault"] = (logit + LOGIT_UNIT * found["fault"][:, :1]).reshape(-1, *place)
            normal = normal_of(products + found["fault"][:, 1:])
            normal = functional.pad(normal, (0, 0) * self.dims + (0, 3 - self.dims))
            outputs["normal"] = normal.reshape(-1, 3, *place)
        if "rgt" in found:
            outputs["rgt_steps"] = as_steps(change + found["rgt"], place)
            outputs["rgt"] = integral(outputs["rgt_steps"])
        if "dhr" in found:
            outputs["dhr"] = (guess("dhr") + found["dhr"]).reshape(-1, *place)
        return outputs


def products_of(normal: Tensor) -> Tensor:
    """Return the products of components of unit normals, (item, product, *place); 0 where a normal has no length.

    Args:
        normal: (item, 2 or 3, *place), of any length and sign.
    """
    unit = functional.normalize(normal, dim=1)
    rows = PRODUCTS[normal.shape[1]]
    return torch.stack([unit[:, i] * unit[:, j] for i in range(len(rows)) for j in range(i, len(rows))], dim=1)


def normal_of(products: Tensor) -> Tensor:
    """Return a normal (item, 2 or 3, *place) of some length and sign whose products these are.

    The matrix of products of one normal has columns along that normal: the one of the largest diagonal element is the
    longest. Of a matrix that is of no single normal it is near the direction in which it is longest.
    """
    rows = torch.tensor(PRODUCTS[2 if products.shape[1] == 3 else 3], device=products.device)
    largest = products[:, rows.diagonal()].argmax(dim=1, keepdim=True)  # (item, 1, *place)
    columns = products[:, rows]  # (item, row, column, *place)
    shape = (columns.shape[0], 1, *columns.shape[2:])
    return columns.gather(1, largest[:, :, None].expand(shape))[:, 0]
