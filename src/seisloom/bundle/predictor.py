"""The door out of torch: a network as a function from NumPy arrays to NumPy arrays."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import BundleError
from seisloom.sample import Array, Arrays, Predictor

if TYPE_CHECKING:
    from torch import Tensor, nn


def device_of(name: str = "auto") -> str:
    """Return the device that a name stands for: auto is a GPU where there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def as_predictor(network: nn.Module, device: str = "auto") -> Predictor:
    """Return the network as a function from arrays to arrays, without gradients, on a device.

    Several threads may call it. On a GPU each has a stream of its own and pinned memory, so that what one copies runs
    beside what another computes.
    """
    import torch

    device = device_of(device)
    try:
        moved = network.to(device).eval()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        there = ", ".join(["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))])
        raise BundleError(f"there is no device {device!r} here. Give auto, or one of: {there}") from error

    def predict(arrays: Arrays) -> dict[str, Array]:
        with torch.inference_mode():
            batch = {name: torch.from_numpy(np.ascontiguousarray(one)).to(device) for name, one in arrays.items()}
            outputs: Mapping[str, Tensor] = moved(batch)
            return {name: one.float().cpu().numpy() for name, one in outputs.items()}

    return OnDevice(_on_gpu(moved, device) if device.startswith("cuda") else predict, device)


@dataclass(frozen=True, slots=True)
class OnDevice:
    """A network as a predictor that says where it runs: what is put behind it runs there too."""

    predict: Predictor
    device: str

    def __call__(self, arrays: Arrays) -> Arrays:
        """Return the network's outputs."""
        return self.predict(arrays)


def _on_gpu(network: nn.Module, device: str) -> Predictor:
    """Return a network on a GPU as a predictor whose copies wait for nobody else's work."""
    import torch

    own = threading.local()

    def predict(arrays: Arrays) -> dict[str, Array]:
        if not hasattr(own, "stream"):
            own.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            own.stream.wait_stream(torch.cuda.default_stream(device))  # which brings the weights
        with torch.inference_mode(), torch.cuda.stream(own.stream):
            pinned = {name: torch.from_numpy(np.ascontiguousarray(one)).pin_memory() for name, one in arrays.items()}
            batch = {name: one.to(device, non_blocking=True) for name, one in pinned.items()}
            outputs: Mapping[str, Tensor] = network(batch)
            back = {name: _pinned_copy(one.float()) for name, one in outputs.items()}
            own.stream.synchronize()
            return {name: one.numpy() for name, one in back.items()}

    return predict


def _pinned_copy(values: Tensor) -> Tensor:
    import torch

    back = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return back.copy_(values, non_blocking=True)
