"""Weights of one network for another one: what both have, what one of them lacks, and whether it is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

MOST = 6
"""Parts that a message names."""
LEVEL = re.compile(r"(?:.*\.)?encoders\.\d+\.0\.convolutions\.0\.weight")
"""The first kernel of a level of a U-Net."""


@dataclass(frozen=True, slots=True)
class Match:
    """How the weights of one network, the given ones, go into another."""

    fits: dict[str, Tensor]
    """Given weights that the network has in the same shape."""
    reshaped: tuple[str, ...]
    """Names of weights that both have, in other shapes."""
    spare: tuple[str, ...]
    """Parts, as whole as they are, that the network does not have."""
    lacking: tuple[str, ...]
    """Parts of the network that are not given."""
    is_whole: bool
    """Whether everything fits and nothing is left over."""
    is_enough: bool
    """Whether to begin from: more than half of the network fits, as deep and as wide; what differs are named parts,
    such as decoders, or one axis of a weight, such as the channels of a head."""


def match(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Match:
    """Return how given weights go into a network's own."""
    both = [name for name in given if name in own]
    fits = {name: given[name] for name in both if given[name].shape == own[name].shape}
    reshaped = tuple(name for name in both if name not in fits)
    spare, lacking = parts(given, own), parts(own, given)
    n_fit, n_own = (sum(one.numel() for one in weights.values()) for weights in (fits, own))
    is_as_wide = all(_n_other_axes(given[name], own[name]) == 1 for name in reshaped)
    is_as_deep = not any(part.rpartition(".")[2].isdecimal() for part in (*spare, *lacking))
    return Match(
        fits, reshaped, spare, lacking,
        is_whole=not (reshaped or spare or lacking),
        is_enough=n_fit > n_own / 2 and is_as_wide and is_as_deep,
    )  # fmt: skip


def parts(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of a network that another one does not have, each named once, as whole as it is.

    >>> parts(["stem.weight", "decoders.rgt.head.bias", "decoders.rgt.norm.scale"], ["stem.weight", "decoders.dhr.a"])
    ('decoders.rgt',)
    """
    there = {prefix for name in others for prefix in _prefixes(name)}
    lacking = (next((one for one in _prefixes(name) if one not in there), None) for name in names)
    return tuple(dict.fromkeys(part for part in lacking if part is not None))


def _prefixes(name: str) -> list[str]:
    words = name.split(".")
    return [".".join(words[: n + 1]) for n in range(len(words))]


def _n_other_axes(one: Tensor, other: Tensor) -> int:
    """Return along how many axes two shapes differ; of those with other numbers of axes, all."""
    if one.ndim != other.ndim:
        return max(one.ndim, other.ndim)
    return sum(a != b for a, b in zip(one.shape, other.shape, strict=True))


def left_and_untrained(found: Match, name: str) -> str:
    """Return in words what is not taken over from weights of this name; "" where all is."""
    heads = tuple(dict.fromkeys(one.rpartition(".")[0] or one for one in found.reshaped))
    return "; ".join(
        f"{named(some)} {said}"
        for some, said in (
            (found.spare, "left out, which this network does not have"),
            (found.lacking, f"untrained, which {name} does not have"),
            (heads, f"untrained, which {name} has in another shape"),
        )
        if some
    )


def misfit(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Return in words in what given weights differ from those of a network."""
    found = match(given, own)
    if not found.fits and not found.reshaped:
        return f"nothing in it is called as in this network: it has {named(found.spare)}, not {named(found.lacking)}"
    said = []
    there, here = channels(given), channels(own)
    if there and here and there != here:
        said.append(
            f"its levels have {', '.join(map(str, there))} channels, and those here {', '.join(map(str, here))}"
        )
    elif found.reshaped:
        name = found.reshaped[0]
        more = f" (and {len(found.reshaped) - 1} more)" if len(found.reshaped) > 1 else ""
        said.append(f"{name} is {_shape(given[name])} there and {_shape(own[name])} here{more}")
    if found.spare:
        said.append(f"it has {named(found.spare)}, which this network does not have")
    if found.lacking:
        said.append(f"it does not have {named(found.lacking)}")
    return "; ".join(said)


def channels(weights: Mapping[str, Tensor]) -> list[int]:
    """Return the channels of each level of a U-Net, full resolution first; none for another network."""
    return [len(one) for name, one in weights.items() if LEVEL.fullmatch(name)]


def named(some: Iterable[str]) -> str:
    """Return names in a row, the first ones of many."""
    names = list(some)
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _shape(one: Tensor) -> str:
    return " x ".join(map(str, one.shape)) or "one number"
