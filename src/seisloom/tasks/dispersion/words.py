"""The words of the first label generator for dispersion pickers, for the blocks of `data`: its files are read as is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Block = dict[str, Any]  # Any: values of YAML, not yet validated
VELOCITY = {"min_ms": "min_m_s", "max_ms": "max_m_s"}
MEDIUM = ("layer_count", "fluctuation_percentage", "vs_bounds_kms", "thickness_bounds_km")
"""Keys of `physics` that are now those of the prior `seed`."""
IN_METRES = {"vs_bounds_ms": "vs_bounds_kms", "thickness_bounds_m": "thickness_bounds_km"}
FLAT = {
    "aug_noise_snr_db": ("noise", "snr_db"),
    "aug_occlusion_patches": ("occlusion", "max_patches"),
    "aug_warp_freq": ("warp", "max_freq_shift"),
    "aug_warp_vel": ("warp", "max_vel_shift"),
}
"""Keys without blocks: null is off, a number is the value of the block's key, and the block is on."""


def with_our_words(values: Any) -> Any:  # Any: not yet validated
    """Return the blocks of `data` with our keys and units; what has them already is returned as it is.

    `phase_velocity.min_ms` and `max_ms` become `min_m_s` and `max_m_s`. `simulation.nfft` is taken and not needed.
    `physics.layer_count`, `fluctuation_percentage`, `vs_bounds_kms` and `thickness_bounds_km` (or `vs_bounds_ms`,
    `thickness_bounds_m`) become `physics.medium`, the prior `seed`. With any of these words `nx` and `dx` are those of
    a line whose first receiver is at the source, as it was there, unless `first_offset` says another. Gathers are
    still those of the wavefield: the plane waves of the first generator are `simulation.method: plane_waves`.

    Raises:
        ValueError: if a value is given in two words, or nfft is no number from 1.

    >>> with_our_words({"phase_velocity": {"min_ms": 100}})
    {'phase_velocity': {'min_m_s': 100}}
    """
    if not isinstance(values, Mapping):
        return values
    blocks = {str(name): dict(one) if isinstance(one, Mapping) else one for name, one in values.items()}
    found = [
        change(blocks[name])
        for name, change in (("phase_velocity", _velocity), ("simulation", _simulation), ("physics", _physics))
        if isinstance(blocks.get(name), dict)
    ]
    simulation = blocks.get("simulation")
    if any(found) and isinstance(simulation, dict) and {"nx", "dx"} <= simulation.keys():
        simulation.setdefault("first_offset", 0.0)
    return _augmentation(blocks)


def _velocity(block: Block) -> bool:
    """Rename its keys; return whether there was one to rename."""
    old = [word for word in VELOCITY if word in block]
    for word in old:
        _put(block, VELOCITY[word], block.pop(word), "phase_velocity", word)
    return bool(old)


def _simulation(block: Block) -> bool:
    if "nfft" not in block:
        return False
    nfft = block.pop("nfft")
    if isinstance(nfft, bool) or not isinstance(nfft, int) or nfft < 1:
        raise ValueError(f"simulation.nfft {nfft!r}: write a whole number from 1, or leave it out, it is not needed")
    return True


def _physics(block: Block) -> bool:
    """Make its keys of layers the prior `seed`; return whether there were any."""
    for word, ours in IN_METRES.items():
        if word in block:
            _put(block, ours, _thousandth(block.pop(word)), "physics", word)
    layers = {key: block.pop(key) for key in MEDIUM if key in block}
    if not layers:
        return False
    medium = block.get("medium")
    if medium is not None and not (isinstance(medium, Mapping) and medium.get("name") == "seed"):
        raise ValueError(
            f"physics: {', '.join(layers)} are of the prior `seed`, and physics.medium is another. Leave one out"
        )
    block["medium"] = {"name": "seed", **(medium or {}), **layers}
    return True


def _thousandth(bounds: Any) -> Any:  # Any: not yet validated
    """Return values in km of values in m; what is no list of numbers is left to the validation."""
    if not isinstance(bounds, list | tuple) or not all(type(one) in (int, float) for one in bounds):
        return bounds
    return [one / 1000 for one in bounds]


def _augmentation(blocks: Block) -> Block:
    """Return the blocks with keys such as aug_noise_snr_db, of the file or of its block, in their places."""
    given = blocks.get("augmentation", {})
    if not isinstance(given, Mapping):
        return blocks
    flat = {key: one for part in (blocks, given) for key, one in part.items() if key in FLAT}
    if not flat:
        return blocks
    block = {name: dict(one) if isinstance(one, Mapping) else one for name, one in given.items() if name not in FLAT}
    on = {FLAT[key][0] for key, value in flat.items() if value is not None}
    for key, value in flat.items():
        name, inner = FLAT[key]
        part = block.setdefault(name, {})
        if not isinstance(part, dict):
            raise ValueError(f"augmentation: {key} and {name} are given. Leave one of them out")
        part["enabled"] = name in on
        if value is not None:
            part[inner] = value
        elif name == "warp":
            part[inner] = 0.0  # this axis alone stays
    return {**{name: one for name, one in blocks.items() if name not in FLAT}, "augmentation": block}


def _put(block: Block, key: str, value: Any, where: str, word: str) -> None:  # Any: not yet validated
    if key in block:
        raise ValueError(f"{where}: {word} and {key} are given, which are one key. Leave one of them out")
    block[key] = value
