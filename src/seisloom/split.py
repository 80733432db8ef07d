"""Parting samples by group: a pure function of the groups and a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from seisloom.errors import SplitError
from seisloom.recipe import SplitConfig
from seisloom.sample import Ref

PARTS = ("train", "valid", "calibrate", "test")
PART = "part"
"""Kind of group that is one of them: what a user keeps in a folder for validation is not dealt again."""
HASH_FROM = 200
"""From this many groups on, a plain threshold on the hash: a group keeps its part when others come or go."""


def split(refs: Sequence[Ref], *, seed: int, config: SplitConfig) -> dict[str, list[Ref]]:
    """Return the refs of each part; no group is in two parts.

    Few groups are ordered by a keyed hash and dealt by largest remainder, at least one to each part with a share. A ref
    with the group `part` goes to that part, which then gets none of the others.

    Raises:
        SplitError: if there are fewer groups than parts, a ref lacks a group that `by` names, or a named group is
            not there.

    >>> refs = [Ref(f"a/{k}", {"shot": f"a/{k // 2}"}) for k in range(20)]
    >>> {part: len(some) for part, some in split(refs, seed=0, config=SplitConfig()).items()}
    {'train': 10, 'valid': 2, 'calibrate': 4, 'test': 4}
    """
    kept = [ref for ref in refs if not config.only or _kept(ref, config)]
    if not kept:
        raise SplitError(f"nothing to split: {len(refs)} samples, none of which begins with {config.only}")
    given = [ref for ref in kept if PART in ref.groups]
    config = config.model_copy(update=dict.fromkeys({ref.groups[PART] for ref in given} - {"train"}, 0.0))
    kept = [ref for ref in kept if PART not in ref.groups]
    block_of = _blocks(kept, config.by)
    part_of = _deal(sorted(set(block_of.values())), _named(kept, block_of, config), seed=seed, config=config)
    parts: dict[str, list[Ref]] = {part: [] for part in PARTS}
    for ref in kept:
        parts[part_of[block_of[ref.key]]].append(ref)
    for ref in given:
        parts[ref.groups[PART]].append(ref)
    return parts


def deal_folds(refs: Sequence[Ref], n_folds: int, *, seed: int, by: Sequence[str]) -> list[list[Ref]]:
    """Return the refs in folds of whole groups, as even as can be; the groups of a line are spread over all folds.

    Args:
        refs: the samples.
        n_folds: at most so many; no fold is empty.
        seed: of the order in which the groups of a line are dealt.
        by: kinds of group that are never parted.
    """
    block_of = _blocks(refs, by)
    # Names of groups begin with what they belong to: LINE/SHOT
    blocks = sorted(set(block_of.values()), key=lambda name: (name.split("/")[0], unit_hash("fold", seed, name)))
    fold_of = {block: number % n_folds for number, block in enumerate(blocks)}
    folds: list[list[Ref]] = [[] for _ in range(min(n_folds, len(blocks)))]
    for ref in refs:
        folds[fold_of[block_of[ref.key]]].append(ref)
    return folds


def n_groups(refs: Sequence[Ref], by: Sequence[str]) -> int:
    """Return how many groups there are that are never parted."""
    return len(set(_blocks(refs, by).values()))


def digest(parts: Mapping[str, Sequence[Ref]]) -> str:
    """Return a hash of which sample is in which part, to prove later that nothing moved."""
    lines = sorted(f"{part} {ref.key}" for part, refs in parts.items() for ref in refs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def unit_hash(*words: object) -> float:
    """Return a number in [0, 1) that depends on the words alone, the same on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def _kept(ref: Ref, config: SplitConfig) -> bool:
    return any(ref.groups.get(kind, "").startswith(tuple(config.only)) for kind in config.by)


def _blocks(refs: Sequence[Ref], by: Sequence[str]) -> dict[str, str]:
    """Return the block of each ref: refs that share any group of the kinds in `by`, directly or through others."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    groups: dict[str, list[str]] = {}
    for ref in refs:
        missing = [kind for kind in by if kind not in ref.groups]
        if missing:
            raise SplitError(f"split.by: samples have no group {missing[0]!r}; they have {', '.join(ref.groups)}")
        groups[ref.key] = [f"{kind}={ref.groups[kind]}" for kind in by]
        for name in groups[ref.key]:
            parent.setdefault(name, name)
        for name in groups[ref.key][1:]:
            first, other = sorted((root(groups[ref.key][0]), root(name)))
            parent[other] = first
    return {key: root(names[0]) for key, names in groups.items()}


def _named(refs: Sequence[Ref], block_of: Mapping[str, str], config: SplitConfig) -> dict[str, str]:
    """Return the part of each block that `split.named` fixes."""
    unknown_parts = set(config.named) - set(PARTS)
    if unknown_parts:
        raise SplitError(f"split.named: no part {sorted(unknown_parts)[0]!r}; parts are {', '.join(PARTS)}")
    fixed: dict[str, str] = {}
    for part, names in config.named.items():
        for name in names:
            blocks = {block_of[ref.key] for ref in refs if any(ref.groups[kind] == name for kind in config.by)}
            if not blocks:
                raise SplitError(f"split.named.{part}: no sample has a {' or '.join(config.by)} named {name!r}")
            for block in blocks:
                if fixed.setdefault(block, part) != part:
                    raise SplitError(f"split.named: {name!r} is asked for in {fixed[block]} and in {part}")
    return fixed


def _deal(blocks: Sequence[str], fixed: Mapping[str, str], *, seed: int, config: SplitConfig) -> dict[str, str]:
    shares = {"valid": config.valid, "calibrate": config.calibrate, "test": config.test}
    shares = {"train": 1.0 - sum(shares.values()), **shares}
    if shares["train"] < -1e-9:
        raise SplitError(f"split: shares of valid, calibrate and test add up to {1 - shares['train']:g}, more than 1")
    free = [block for block in blocks if block not in fixed]
    wanted = [part for part in PARTS if shares[part] > 1e-9 and part not in fixed.values()]
    if len(free) < len(wanted):
        raise SplitError(
            f"split: {len(blocks)} groups of {' and '.join(config.by)} are too few for the parts "
            f"{', '.join(wanted)}. Set the share of a part to 0, or name the groups: split.named.test=[...]; "
            "without groups to calibrate on, calibrate across groups: seisloom calibrate BUNDLE DATA"
        )
    if len(blocks) >= HASH_FROM:
        return {**_by_threshold(free, shares, seed=seed), **fixed}
    ordered = sorted(free, key=lambda block: unit_hash("split", seed, block))
    counts = _quotas(len(ordered), {part: shares[part] for part in PARTS if shares[part] > 1e-9}, wanted)
    dealt: dict[str, str] = dict(fixed)
    start = 0
    for part, count in counts.items():
        dealt.update(dict.fromkeys(ordered[start : start + count], part))
        start += count
    return dealt


def _by_threshold(blocks: Sequence[str], shares: Mapping[str, float], *, seed: int) -> dict[str, str]:
    dealt = {}
    for block in blocks:
        draw, edge = unit_hash("split", seed, block), 0.0
        for part in PARTS:
            edge += shares[part]
            if draw < edge or part == PARTS[-1]:
                dealt[block] = part
                break
    return dealt


def _quotas(n: int, shares: Mapping[str, float], at_least_one: Sequence[str]) -> dict[str, int]:
    """Return how many groups each part gets: largest remainder, at least one where asked."""
    total = sum(shares.values())
    exact = {part: n * share / total for part, share in shares.items()}
    least = {part: int(part in at_least_one) for part in shares}
    counts = {part: max(int(exact[part]), least[part]) for part in shares}
    while sum(counts.values()) < n:
        counts[max(shares, key=lambda part: exact[part] - counts[part])] += 1
    while sum(counts.values()) > n:
        can_give = [part for part in counts if counts[part] > least[part]]
        counts[max(can_give, key=lambda part: counts[part] - exact[part])] -= 1
    return counts
