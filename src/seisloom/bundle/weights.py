"""Weights on disk: safetensors, sealed by a hash; checkpoints are read without running what is in them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seisloom.errors import BundleError, MissingDataError
from seisloom.seal import SEAL, check_seal, seal

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "weights.safetensors"
PLAIN_WEIGHTS = "model.pth"


def write_weights(state: Mapping[str, Tensor], folder: Path) -> None:
    """Write weights as safetensors and as a plain `.pth`, readable for whom the umask says, and their hashes."""
    import torch
    from safetensors.torch import save

    tensors = {name: one.detach().cpu().contiguous() for name, one in state.items()}
    (folder / SEAL).unlink(missing_ok=True)  # where writing is cut off, new weights do not stand beside old hashes
    partial = folder / (WEIGHTS + ".partial")
    # Not `save_file`: its file is for its owner alone, whatever the umask
    partial.write_bytes(save(tensors))
    partial.replace(folder / WEIGHTS)
    # In memory first: where a disk is full torch raises an error that names neither
    stored = io.BytesIO()
    torch.save(tensors, stored)
    (folder / PLAIN_WEIGHTS).write_bytes(stored.getvalue())
    seal(folder, (WEIGHTS, PLAIN_WEIGHTS))


def read_state(folder: Path, checkpoint: str | Path | None) -> dict[str, Tensor]:
    file = folder / WEIGHTS if checkpoint is None else _checkpoint_file(folder, checkpoint)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such weights")
    if file.suffix == ".safetensors":
        check_seal(file)
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            # Shipped weights are stored as float16; networks run in float32
            return {name: one.float() if one.is_floating_point() else one for name, one in load_file(file).items()}
        except SafetensorError as error:
            raise BundleError(f"{file}: damaged ({error})") from error
    return read_checkpoint(file)


def _checkpoint_file(folder: Path, checkpoint: str | Path) -> Path:
    """Return the file of "best" or "last", or the path itself."""
    if str(checkpoint) not in ("best", "last"):
        if Path(checkpoint).is_file():
            return Path(checkpoint)
        raise MissingDataError(f"--checkpoint: best, last or a file; {str(checkpoint)!r} is none of them")
    file = folder / "checkpoints" / f"{checkpoint}.ckpt"
    if not file.is_file():
        raise MissingDataError(
            f"--checkpoint {checkpoint}: {folder.name} has no such checkpoint. Only the folder that was trained has "
            "them; shipped and newly calibrated bundles have their weights alone"
        )
    return file


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """Return the network's weights from a Lightning `.ckpt` or a file of weights; nothing in it is executed.

    Raises:
        BundleError: if the file holds anything but tensors and plain values, or is not the one that a bundle sealed.
    """
    import torch

    check_seal(file)
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the bytes lead it to, a KeyError for a line of text
        raise BundleError(
            f"{file}: damaged, or more than weights, and what could run is not opened. Give a .ckpt of a training, or "
            "a .pth of a state_dict"
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    tensors = {name: one for name, one in state.items() if isinstance(one, torch.Tensor)}
    if not tensors:
        raise BundleError(f"{file}: holds no weights")
    inner = {name.removeprefix("network."): one for name, one in tensors.items() if name.startswith("network.")}
    return inner or tensors
