"""Parting samples by group: a pure function of the groups and a seed."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from seisloom.errors import SplitError
from seisloom.recipe import SplitConfig
from seisloom.sample import Ref

logger = logging.getLogger("seisloom")

PARTS = ("train", "valid", "calibrate", "test")
PART = "part"
"""Kind of group that is one of them: what a user keeps in a folder for validation is not dealt again."""
HASH_FROM = 200
"""From this many groups on, a plain threshold on the hash: a group keeps its part when others come or go."""
CLASS, TIME = "class", "time"
"""Kinds of group that tell the class of a sample, and the time of its event (ISO 8601, UTC)."""


class DealtSplit(SplitConfig):
    """How samples with classes are parted."""

    by: tuple[str, ...] = Field(("event",), min_length=1)
    """Kinds of group that are never parted: [event], [station], [region], [network], [set] or [year]; several together
    join what shares any of them."""
    deal: Literal["class", "time", "hash"] = "class"
    """class: each class is dealt apart, so that every part has its share of it; time: the first events train and the
    last are scored, as in monitoring; hash: whatever their classes."""


def split(refs: Sequence[Ref], *, seed: int, config: SplitConfig) -> dict[str, list[Ref]]:
    """Return the refs of each part; no group is in two parts.

    Few groups are ordered by a keyed hash and dealt by largest remainder, at least one to each part with a share. A ref
    with the group `part` goes to that part, which then gets none of the others. A `DealtSplit` does so in each class,
    or in the order of time.

    Raises:
        SplitError: if there are fewer groups (of a class) than parts, a ref lacks a group that `by` names, a named
            group is not there, or groups overlap in time that are to follow each other.

    >>> refs = [Ref(f"a/{k}", {"shot": f"a/{k // 2}"}) for k in range(20)]
    >>> {part: len(some) for part, some in split(refs, seed=0, config=SplitConfig()).items()}
    {'train': 10, 'valid': 2, 'calibrate': 4, 'test': 4}
    """
    some = [ref for ref in refs if kept(ref, config)]
    if not some:
        raise SplitError(f"nothing to split: {len(refs)} samples, none of which begins with {config.only}")
    given = [ref for ref in some if PART in ref.groups]
    config = config.model_copy(update=dict.fromkeys({ref.groups[PART] for ref in given} - {"train"}, 0.0))
    some = [ref for ref in some if PART not in ref.groups]
    block_of = _blocks(some, config.by)
    fixed = _named(some, block_of, config)
    if isinstance(config, DealtSplit) and config.deal == "time":
        part_of = _deal_by_time(some, block_of, fixed, config=config)
    else:
        strata = _strata(some, block_of) if isinstance(config, DealtSplit) and config.deal == "class" else {}
        part_of = _deal(sorted(set(block_of.values())), fixed, seed=seed, config=config, strata=strata)
    parts: dict[str, list[Ref]] = {part: [] for part in PARTS}
    for ref in some:
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


def deal_class_folds(refs: Sequence[Ref], n_folds: int, *, seed: int, by: Sequence[str]) -> list[list[Ref]]:
    """Return the refs in folds of whole groups, each class spread over all of them as evenly as can be.

    Args:
        refs: the samples, with the group `class`.
        n_folds: so many.
        seed: of the order in which the groups of a class are dealt.
        by: kinds of group that are never parted.
    Raises:
        SplitError: if a class has fewer groups than there are folds: some would be scored without it.
    """
    block_of = _blocks(refs, by)
    strata = _strata(refs, block_of)
    _check_classes(strata, n_folds, f"{n_folds} folds", by)
    folds: list[list[Ref]] = [[] for _ in range(n_folds)]
    fold_of: dict[str, int] = {}
    for blocks in strata.values():  # one class after the other, so that the next goes on where this one stopped
        for block in sorted(blocks, key=lambda name: unit_hash("fold", seed, name)):
            fold_of[block] = len(fold_of) % n_folds
    for ref in refs:
        folds[fold_of[block_of[ref.key]]].append(ref)
    return folds


def folds_for(refs: Sequence[Ref], n_folds: int, *, seed: int, config: SplitConfig) -> list[list[Ref]]:
    """Return the refs in folds of whole groups, as the split deals: each class spread over all folds where it does so.

    Args:
        refs: the samples.
        n_folds: at most so many; no more than the rarest class has groups, and none is empty. A class of one group
            cannot be spread: then classes do not count.
        seed: of the order in which groups are dealt.
        config: which groups are never parted, and whether classes count.
    """
    if isinstance(config, DealtSplit) and config.deal == "class" and any(CLASS in ref.groups for ref in refs):
        rarest = min(len(some) for some in _strata(refs, _blocks(refs, config.by)).values())
        if rarest > 1:
            return deal_class_folds(refs, min(n_folds, rarest), seed=seed, by=config.by)
    return deal_folds(refs, n_folds, seed=seed, by=config.by)


def leave_one_out(
    refs: Sequence[Ref], kind: str, *, apart: Sequence[str] = ()
) -> Iterator[tuple[str, list[Ref], list[Ref]]]:
    """Yield for each group of a kind its name, the refs of all others, and its own.

    Args:
        refs: the samples.
        kind: such as station or region.
        apart: kinds of group that the others may not share with those left out: with `event`, records of the same
            events at other stations are in neither list.
    Raises:
        SplitError: if a sample lacks one of the groups, or there is only one group.
    """
    for ref in refs:
        _check_kinds(ref, (kind, *apart))
    names = sorted({ref.groups[kind] for ref in refs})
    if len(names) < 2:
        raise SplitError(f"all {len(refs)} samples are of one {kind}, {', '.join(names)}: without it nothing is left")
    for name in names:
        own = [ref for ref in refs if ref.groups[kind] == name]
        shared = {(one, ref.groups[one]) for ref in own for one in apart}
        others = [
            ref for ref in refs
            if ref.groups[kind] != name and not any((one, ref.groups[one]) in shared for one in apart)
        ]  # fmt: skip
        yield name, others, own


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


def kept(ref: Ref, config: SplitConfig) -> bool:
    """Return whether a sample is used at all: `split.only` may narrow it to some groups."""
    return not config.only or any(ref.groups.get(kind, "").startswith(tuple(config.only)) for kind in config.by)


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
        _check_kinds(ref, by)
        groups[ref.key] = [f"{kind}={ref.groups[kind]}" for kind in by]
        for name in groups[ref.key]:
            parent.setdefault(name, name)
        for name in groups[ref.key][1:]:
            first, other = sorted((root(groups[ref.key][0]), root(name)))
            parent[other] = first
    return {key: root(names[0]) for key, names in groups.items()}


def _check_kinds(ref: Ref, by: Sequence[str]) -> None:
    missing = [kind for kind in by if kind not in ref.groups]
    if missing:
        raise SplitError(f"split.by: samples have no group {missing[0]!r}; they have {', '.join(ref.groups)}")


def _strata(refs: Sequence[Ref], block_of: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the blocks of each class; one with several classes counts for the rarest, which can spare it least."""
    n_of = Counter(ref.groups.get(CLASS, "") for ref in refs)
    classes: dict[str, set[str]] = defaultdict(set)
    for ref in refs:
        classes[block_of[ref.key]].add(ref.groups.get(CLASS, ""))
    strata: dict[str, list[str]] = defaultdict(list)
    for block in sorted(classes):
        strata[min(classes[block], key=lambda name: (n_of[name], name))].append(block)
    return {name: strata[name] for name in sorted(strata, key=lambda name: (len(strata[name]), name))}


def _check_classes(strata: Mapping[str, Sequence[str]], n: int, what: str, by: Sequence[str]) -> None:
    for name, blocks in strata.items():
        if len(blocks) < n:
            raise SplitError(
                f"split: class {name!r} has {len(blocks)} groups of {' and '.join(by)}, too few for {what}. Merge it "
                "with another or leave it out (data.classes), ask for fewer, or part by other groups (split.by)"
            )


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


def _deal(
    blocks: Sequence[str], fixed: Mapping[str, str], *,
    seed: int, config: SplitConfig, strata: Mapping[str, Sequence[str]],
) -> dict[str, str]:  # fmt: skip
    free = [block for block in blocks if block not in fixed]
    shares, wanted = _shares(config, free, fixed, len(blocks))
    if len(strata) < 2:
        return {**_deal_alike(free, len(blocks), shares, wanted, seed=seed), **fixed}
    dealt = dict(fixed)
    by_class = {name: [block for block in some if block not in fixed] for name, some in strata.items()}
    _check_classes({name: some for name, some in by_class.items() if some}, len(wanted), ", ".join(wanted), config.by)
    for some in by_class.values():
        dealt.update(_deal_alike(some, len(some), shares, wanted, seed=seed))
    return dealt


def _shares(
    config: SplitConfig, free: Sequence[str], fixed: Mapping[str, str], n_blocks: int
) -> tuple[dict[str, float], list[str]]:
    """Return the share of each part, and the parts that must have one of the blocks that are free."""
    shares = {"valid": config.valid, "calibrate": config.calibrate, "test": config.test}
    shares = {"train": 1.0 - sum(shares.values()), **shares}
    if shares["train"] < -1e-9:
        raise SplitError(f"split: shares of valid, calibrate and test add up to {1 - shares['train']:g}, more than 1")
    wanted = [part for part in PARTS if shares[part] > 1e-9 and part not in fixed.values()]
    while config.few == "leave_out" and len(free) < len(wanted) > 1:
        left_out = wanted.pop()
        logger.warning(
            "split: %d groups of %s: none is left for %s. More of them, or split.named, would change that",
            n_blocks, " and ".join(config.by), left_out,
        )  # fmt: skip
        shares["train"] += shares[left_out]
        shares[left_out] = 0.0
    if len(free) < len(wanted):
        raise SplitError(
            f"split: {n_blocks} groups of {' and '.join(config.by)} are too few for the parts "
            f"{', '.join(wanted)}. Set the share of a part to 0, or name the groups: split.named.test=[...]; "
            "without groups to calibrate on, calibrate across groups: seisloom calibrate BUNDLE DATA"
        )
    return shares, wanted


def _deal_alike(
    free: Sequence[str], n_blocks: int, shares: Mapping[str, float], wanted: Sequence[str], *, seed: int
) -> dict[str, str]:
    """Deal blocks that are all of one kind."""
    if n_blocks >= HASH_FROM:
        return _by_threshold(free, shares, seed=seed)
    ordered = sorted(free, key=lambda block: unit_hash("split", seed, block))
    return _in_order(ordered, shares, wanted)


def _in_order(ordered: Sequence[str], shares: Mapping[str, float], wanted: Sequence[str]) -> dict[str, str]:
    """Deal the first blocks to the first part, and so on."""
    counts = _quotas(len(ordered), {part: shares[part] for part in PARTS if shares[part] > 1e-9}, wanted)
    dealt: dict[str, str] = {}
    start = 0
    for part, count in counts.items():
        dealt.update(dict.fromkeys(ordered[start : start + count], part))
        start += count
    return dealt


def _deal_by_time(
    refs: Sequence[Ref], block_of: Mapping[str, str], fixed: Mapping[str, str], *, config: SplitConfig
) -> dict[str, str]:
    """Deal the earliest blocks to the training part, and the latest to the test."""
    spans: dict[str, tuple[str, str]] = {}
    for ref in refs:
        _check_kinds(ref, (TIME,))
        block, time = block_of[ref.key], ref.groups[TIME]
        first, last = spans.get(block, (time, time))
        spans[block] = (min(first, time), max(last, time))
    free = sorted((block for block in spans if block not in fixed), key=lambda block: (spans[block], block))
    shares, wanted = _shares(config, free, fixed, len(spans))
    dealt = {**_in_order(free, shares, wanted), **fixed}
    until = ""
    for part in PARTS:
        some = [spans[block] for block in free if dealt[block] == part]
        if some and min(some)[0] < until:
            raise SplitError(
                f"split: groups of {' and '.join(config.by)} last from one part into the next ({part} would begin at "
                f"{min(some)[0]}, and the part before ends at {until}). Part by event: split.by=[event]"
            )
        until = max([until, *(last for _, last in some)])
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
