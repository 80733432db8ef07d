"""The page on scale: a survey of 1 TB on paper, from rates that were measured.

    python benchmarks/apply_memory.py --json rates.json
    python benchmarks/apply_memory.py --stages --json rates.json
    python benchmarks/scale.py rates.json > docs/explanation/scale.md

Tiles, owners and blocks are counted by the code that runs them; every number of the page is made here.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, gcd, log, prod
from pathlib import Path
from textwrap import fill

import numpy as np

from seisloom.inference.feed import blocks
from seisloom.inference.lattice import AxisTiles, Index, Lattice, lattice
from seisloom.inference.owners import BYTES_A_VALUE, Owners, Queue, owner_size
from seisloom.inference.sweep import READING_SHARE, SUMS_SHARE

SHAPE, PATCH, CHUNK = (6400, 6400, 6250), 128, 128
OVERLAPS, WORKERS, GPU_RATES, MEMORY_MB = (0.25, 0.5), (1, 16, 128), (50e6, 200e6), 512
SMALL = 12
"""Owners along each axis of the cube whose order is played through: of all of them it would take an hour."""
VALUE, SUM = 4, 8
"""Bytes of a sample, and of a sum."""
Rates = dict[str, float]
Kept = dict[tuple[float, int], tuple[float, float]]
"""By overlap and workers: bytes kept in all, and at once at most."""


@dataclass(frozen=True)
class Work:
    """What a volume asks for, in voxels; whoever does it."""

    overlap: float
    owner: tuple[int, ...]
    n_tiles: int
    n_owners: int
    without_spill: int
    """Tiles that would run if nothing was kept."""
    asked: int
    """Of the blocks that are read for the tiles."""
    decoded: int
    """Of the chunks that these blocks touch: a chunk is decompressed as a whole."""
    reaching: int
    """Of the parts of tiles that lie with other owners than their home: kept for these."""
    at_home: int
    """Of the parts that lie at home: kept where an owner runs its tiles before its neighbours have run theirs."""

    @property
    def forward(self) -> int:
        """Voxels that go through the model."""
        return self.n_tiles * PATCH**3


def count(overlap: float, grain: int = CHUNK, memory_mb: float = MEMORY_MB) -> Work:
    """Return the work for the survey."""
    tiles = lattice(SHAPE, (PATCH,) * 3, overlap=overlap)
    size = owner_size(
        SHAPE, (grain,) * 3, (PATCH,) * 3, n_outputs=1, memory_mb=SUMS_SHARE * memory_mb, workers=max(WORKERS)
    )
    owners = Owners(tiles, size)
    # Along each axis few arrangements of tiles within an owner occur: each is counted once
    sides = [Counter(_homed(owners, axis, k) for k in range(n)) for axis, n in enumerate(owners.counts)]
    asked = decoded = at_home = 0
    for combined in itertools.product(*(side.items() for side in sides)):
        if not all(starts for (starts, _), _ in combined):
            continue  # the last owner along an axis may have none at home
        n = prod(times for _, times in combined)
        own = _own_tiles([place for place, _ in combined])
        for box, _ in blocks(own, own.tiles(), max_voxels=int(READING_SHARE * memory_mb * 1e6 / VALUE)):
            asked += n * prod(side.stop - side.start for side in box)
            decoded += n * prod(CHUNK * (-(-side.stop // CHUNK) - side.start // CHUNK) for side in box)
        at_home += n * prod(sum(min(start + PATCH, end) - start for start in starts) for (starts, end), _ in combined)
    touching = [
        sum(len(axis.touching(k * side, min((k + 1) * side, axis.n))) for k in range(-(-axis.n // side)))
        for axis, side in zip(tiles.axes, size, strict=True)
    ]
    voxels = tiles.n_tiles * PATCH**3
    return Work(
        overlap, size, tiles.n_tiles, len(owners), prod(touching), asked, decoded, voxels - at_home, at_home
    )  # fmt: skip


Placed = tuple[tuple[int, ...], int]
"""Along an axis, counted from the owner's edge: starts of the tiles at home, and the end of the owner."""


def _homed(owners: Owners, axis: int, k: int) -> Placed:
    tiles, size = owners.lattice.axes[axis], owners.size[axis]
    start, stop = k * size, min((k + 1) * size, tiles.n)
    return tuple(int(tiles.starts[i]) - start for i in tiles.homed(start, stop)), stop - start


def _own_tiles(places: Sequence[Placed]) -> Lattice:
    """Return the tiles of one owner, counted from its corner."""
    return Lattice(tuple(AxisTiles(starts[-1] + PATCH, PATCH, np.array(starts), np.empty(0)) for starts, _ in places))


def play(overlap: float, owner: tuple[int, ...], workers: int) -> tuple[float, float]:
    """Return the share of owners whose own parts are kept, and the share of all files that are there at once, at most.

    All steps take equally long; the cube has SMALL owners along each axis.
    """
    tiles = lattice([SMALL * n for n in owner], (PATCH,) * 3, overlap=overlap)
    owners = Owners(tiles, owner)
    queue = Queue(owners, workers=workers)
    running: deque[tuple[Index, str]] = deque()
    waiting: dict[Index, set[Index]] = {one: set() for one in owners}
    n_home = n_now = n_most = n_all = 0
    while queue or running:
        while len(running) < workers and (now := queue.take()) is not None:
            running.append(now)
        one, step = running.popleft()
        if step != "sum":
            given = {later for later in owners.wanted_by(one) if later in waiting} | (
                {one} if step == "home" else set()
            )
            for later in given:
                waiting[later].add(one)
            n_now, n_all, n_home = n_now + len(given), n_all + len(given), n_home + (step == "home")
            n_most = max(n_most, n_now)
        if step != "home":
            n_now -= len(waiting.pop(one))
        queue.finish(one, step)  # type: ignore[arg-type]
    return n_home / len(owners), n_most / n_all


def seconds(work: Work, rates: Rates, kept: float, forward: float) -> dict[str, float]:
    """Return the seconds of one worker for each stage, one after the other."""
    n = prod(SHAPE)
    return {
        "fingerprint": VALUE * n / 1e6 / rates["fingerprint_mb_s"],
        "read": VALUE * work.decoded / 1e6 / rates["zarr_read_mb_s"],
        "scale": work.asked / rates["scale_voxels_s"],
        "network": work.forward / forward,
        "keep": kept / 1e6 / rates["spill_write_mb_s"] + kept / 1e6 / rates["spill_read_mb_s"],
        "blend": work.forward / rates["blend_voxels_s"],
        "write": VALUE * n / 1e6 / rates["zarr_write_mb_s"],
    }


def with_gpu(stages: dict[str, float]) -> tuple[float, float]:
    """Return seconds with and without the network: reading and scaling run ahead of it, all else after it."""
    after = stages["keep"] + stages["blend"] + stages["write"]
    ahead = stages["read"] + stages["scale"]
    return stages["fingerprint"] + max(ahead, stages["network"] + after), stages["fingerprint"] + max(ahead, after)


def duration(s: float) -> str:
    """Return seconds as people say them."""
    for unit, length in (("years", 365 * 86400), ("days", 86400), ("h", 3600), ("min", 60)):
        if s >= 2 * length:
            return f"{s / length:.3g} {unit}"
    return f"{s:.3g} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def tb(n_bytes: float) -> str:
    """Return bytes in TB."""
    return f"{n_bytes / 1e12:.3g} TB"


def counted(works: Sequence[Work], kept: Kept) -> str:
    """Return the table of what has to be done."""
    n = prod(SHAPE)
    rows = [
        ["tiles, each run once", *(f"{w.n_tiles:,}" for w in works)],
        ["voxels through the network, for each of the survey", *(f"{w.forward / n:.2f}" for w in works)],
        ["forwards if nothing were kept, over those needed", *(f"{w.without_spill / w.n_tiles:.2f}" for w in works)],
        ["owners", *(f"{w.n_owners:,} of {' x '.join(map(str, w.owner))}" for w in works)],
        ["read by the first pass, the fingerprint", *(tb(VALUE * n) for _ in works)],
        ["read in blocks around the tiles", *(tb(VALUE * w.asked) for w in works)],
        ["chunks that are decompressed for these", *(tb(VALUE * w.decoded) for w in works)],
        ["written, each attribute, before compression", *(tb(VALUE * n) for _ in works)],
    ]
    for k in WORKERS:
        both = (f"{tb(kept[w.overlap, k][0])}; {tb(kept[w.overlap, k][1])}" for w in works)
        rows.append([f"kept in all; at once at most: {k} worker{'s' * (k > 1)}", *both])
    return table(["", *(f"overlap {w.overlap:g}" for w in works)], rows)


def measured(rates: Rates) -> str:
    """Return the table of the rates."""
    rows = [
        ["read SEG-Y", f"{rates['segy_read_mb_s']:,.0f} MB/s"],
        ["read Zarr", f"{rates['zarr_read_mb_s']:,.0f} MB/s"],
        ["write Zarr", f"{rates['zarr_write_mb_s']:,.0f} MB/s"],
        ["fingerprint, with reading Zarr", f"{rates['fingerprint_mb_s']:,.0f} MB/s"],
        ["scale", f"{rates['scale_voxels_s'] / 1e6:.3g} M voxels/s"],
        ["keep; take back", f"{rates['spill_write_mb_s']:,.0f}; {rates['spill_read_mb_s']:,.0f} MB/s"],
        ["blend, each output", f"{rates['blend_voxels_s'] / 1e6:.3g} M voxels/s"],
        ["small 2-D network", f"{rates['forward_2d_voxels_s'] / 1e6:.3g} M voxels/s"],
        ["small 3-D network", f"{rates['forward_3d_voxels_s'] / 1e6:.3g} M voxels/s"],
    ]
    return table(["stage", "rate"], rows)


def times_on_cpus(works: Sequence[Work], rates: Rates, kept: Kept) -> str:
    """Return the table of stages, one after the other."""
    rows, stages = [], dict[str, float]()
    for w, dims in itertools.product(works, (2, 3)):
        each = [seconds(w, rates, kept[w.overlap, k][0], rates[f"forward_{dims}d_voxels_s"]) for k in WORKERS]
        stages = each[0]
        alone = map(duration, stages.values())
        rows.append(
            [
                f"{dims}-D, {w.overlap:g}",
                *alone,
                *(duration(sum(s.values()) / k) for s, k in zip(each, WORKERS, strict=True)),
            ]
        )
    return table(["network, overlap", *stages, *(f"all, {k}" for k in WORKERS)], rows)


def times_with_gpus(works: Sequence[Work], rates: Rates, kept: Kept) -> str:
    """Return the table of workers with a GPU each."""
    rows = []
    for w, rate in itertools.product(works, GPU_RATES):
        each = [seconds(w, rates, kept[w.overlap, k][0], rate) for k in WORKERS]
        totals = [with_gpu(stages)[0] / k for stages, k in zip(each, WORKERS, strict=True)]
        busy = each[0]["network"] / totals[0]
        store = VALUE * (2 * prod(SHAPE) + w.decoded) / totals[-1] / 1e9
        rows.append(
            [f"{rate / 1e6:.0f} M voxels/s, {w.overlap:g}", duration(each[0]["network"]), f"{busy:.0%}",
             *map(duration, totals), f"{store:.2g} GB/s"]
        )  # fmt: skip
    head = ["network, overlap", "network alone", "it is busy", *(f"all, {k}" for k in WORKERS)]
    return table([*head, f"of the store, {WORKERS[-1]}"], rows)


def schemes(works: Sequence[Work]) -> str:
    """Return the table of what other ways cost."""
    rows = []
    for w in works:
        stride, halo = int(PATCH * (1 - w.overlap)), int(PATCH * w.overlap) // 2
        again = (f"{((s + PATCH - gcd(s, stride)) / s) ** 3:.2f}" for s in (256, 512))
        rows.append(
            [
                f"{w.overlap:g}",
                f"{(PATCH / stride) ** 3:.2f}",
                *again,
                f"{(PATCH / (PATCH - 2 * halo)) ** 3:.2f}, h {halo}",
            ]
        )
    return table(
        ["overlap", "blended, each tile once", "times, S = 256, nothing kept", "times, S = 512", "halo cut off"], rows
    )


def choices() -> str:
    """Return the table of shards and memory."""
    rows = []
    for grain in (128, 256, 512):
        needed = BYTES_A_VALUE * grain**3 / 1e6 / SUMS_SHARE
        memory = max(MEMORY_MB, 100 * ceil(needed / 100))
        w = count(OVERLAPS[0], grain, memory)
        files = prod(-(-side // grain) for side in SHAPE)
        rows.append(
            [f"{grain}^3", f"{files:,}", f"{memory:,}", " x ".join(map(str, w.owner)), f"{w.n_owners:,}",
             tb(VALUE * w.reaching), tb(VALUE * w.decoded)]
        )  # fmt: skip
    return table(["shard", "files", "--memory-mb", "owner", "owners", "kept, at least", "decompressed"], rows)


def page(rates: Rates, machine: str) -> str:
    """Return the page."""
    n, works = prod(SHAPE), [count(overlap) for overlap in OVERLAPS]
    kept: Kept = {}
    for w, k in itertools.product(works, WORKERS):
        share, at_once = play(w.overlap, w.owner, k)
        in_all = VALUE * (w.reaching + share * w.at_home)
        kept[w.overlap, k] = in_all, in_all * at_once
    usual = works[0]
    nets = {dims: rates[f"forward_{dims}d_voxels_s"] for dims in (2, 3)}
    spent = {dims: seconds(usual, rates, kept[usual.overlap, 1][0], rate) for dims, rate in nets.items()}
    limits = []
    for w in works:
        others = seconds(w, rates, kept[w.overlap, 1][0], 1.0)
        limits.append(w.forward / with_gpu({**others, "network": 0.0})[0])
    # Each owner that is handed out is looked for among all that are left
    power = log(rates["hand_out_12_s"] / rates["hand_out_8_s"]) / log(12**3 / 8**3)
    band = PATCH * SHAPE[1] * SHAPE[2]
    said = PAGE.format(
        shape=" x ".join(map(str, SHAPE)), size=tb(VALUE * n), patch=PATCH, chunk=CHUNK, memory_mb=MEMORY_MB,
        machine=machine, measured=measured(rates), counted=counted(works, kept), small=SMALL,
        cpus=times_on_cpus(works, rates, kept), gpus=times_with_gpus(works, rates, kept), schemes=schemes(works),
        choices=choices(), workers=", ".join(map(str, WORKERS)),
        share_3d=f"{spent[3]['network'] / sum(spent[3].values()):.0%}",
        share_2d=f"{spent[2]['network'] / sum(spent[2].values()):.0%}",
        limit_less=f"{limits[0] / 1e6:.2g}", limit_more=f"{limits[1] / 1e6:.2g}",
        overlap_less=OVERLAPS[0], overlap_more=OVERLAPS[1], more=f"{works[1].forward / works[0].forward:.1f}",
        small_peak=f"{rates['small_peak_mb']:.0f}", large_peak=f"{rates['large_peak_mb']:.0f}",
        places_mb=f"{8 * SHAPE[0] * SHAPE[1] / 1e6:.0f}", n_owners=f"{usual.n_owners:,}",
        tiles_lost=f"{usual.n_tiles / usual.n_owners:.0f}",
        lost_3d=duration(usual.forward / usual.n_owners / nets[3]),
        lost_2d=duration(usual.forward / usual.n_owners / nets[2]),
        hand_out=duration(rates["hand_out_12_s"] * (usual.n_owners / 12**3) ** power),
        first_pass=duration(spent[3]["fingerprint"]), owner=usual.owner[0],
        band_gb=f"{SUM * band / 1e9:.0f}", band_f4_gb=f"{VALUE * band / 1e9:.1f}",
        column_gb=f"{SUM * 512 * 512 * SHAPE[2] / 1e9:.0f}", owner_mb=f"{SUM * prod(usual.owner) / 1e6:.0f}",
        bytes_a_value=BYTES_A_VALUE, sums_share=f"{SUMS_SHARE:.0%}",
    )  # fmt: skip
    return wrapped(said)


def wrapped(text: str) -> str:
    """Return a page whose paragraphs, tables and headings aside, have lines of 120."""
    parts = text.rstrip().split("\n\n")
    return "\n\n".join(part if part[0] in "#|<-" else fill(part, 120, break_on_hyphens=False) for part in parts) + "\n"


PAGE = """# Scale: a survey of 1 TB, on paper

<!-- Made by benchmarks/scale.py; change it there. -->

A survey of {shape} samples (inline, crossline, time; float32) is {size}. Nobody has run it here. This page
multiplies what the code counts for it by rates that were measured on small volumes. Tiles have {patch}^3 samples,
chunks {chunk}^3, a worker has `--memory-mb {memory_mb}`, and one output is blended.

## What was measured

`benchmarks/apply_memory.py --stages`, one thread each, on {machine}, with other work going on. Files were in
memory, not on a slow disk. Such rates differ by a factor of two to four from run to run.

{measured}

## What has to be done

{counted}

A tile is run once, by the owner in which it begins; what reaches into later owners is kept on disk for them. Where
many workers are at work, some owners begin before their neighbours have run; then they keep their own parts too.
How often, and how much lies on the disk at once, was played through with {small}^3 owners and steps of one length.
Blocks overlap as tiles do, and Zarr decompresses whole chunks, so more is decompressed than asked for.

## How long on CPUs

One worker with one thread, stage by stage, and the whole on {workers} workers:

{cpus}

**The network limits.** At overlap {overlap_less} the small 3-D network takes {share_3d} of the time, the small 2-D
one, shown every voxel as often, {share_2d}. To divide by workers supposes that the store keeps up and that nobody
waits for the last owner.

## With GPUs

A GPU for each worker. Reading and scaling run ahead of the network in a thread; blending, keeping and writing
follow it. The store's share is what it must read and write before compression.

{gpus}

From {limit_less} M voxels/s on (overlap {overlap_less}; {limit_more} M at {overlap_more}) a worker spends more time on
the two passes over the store and on blending than in the network. A faster GPU waits: let several workers share it.

## Memory

Peak of one worker from Zarr to Zarr with a model that costs nothing (`benchmarks/apply_memory.py`): {small_peak} MB
for 256^3 samples, {large_peak} MB for 1024 x 1024 x 512. It depends on `--memory-mb`, the chunks and the patch;
activations of a network come on top. Two things grow with the survey: the place of each trace of a SEG-Y file
({places_mb} MB here, more while it is opened; nothing for Zarr), and, in the process that hands them out, the list of
{n_owners} owners. To hand all of them out takes that process about {hand_out} in all.

## When it is killed

What is written stays. Each worker loses at most the owner that it was at: {tiles_lost} tiles, {lost_3d} of the
small 3-D network on one core, or {lost_2d} of the 2-D one. The fingerprint is made again: {first_pass} for one
worker. Files that were being kept have no name yet, so those tiles run again. The result is the same, byte for
byte.

## Against other schemes

Tiles of w samples, s apart, show the network each voxel (w/s)^3 times. That is the price of blending. Along an axis
S/s tiles begin in an owner of S samples, and (w - g)/s more reach into it, where g is the greatest common divisor of
S and s: so many begin in the w samples before it, on average over the places where an edge may lie between tiles.
Owners that share nothing run ((S + w - g)/S)^3 times as many tiles. Ours keep outputs on disk instead. The other way
blends nothing: it sees w, keeps the core w - 2h, and costs (w/(w - 2h))^3. Its seams are gone only where the halo h
is at least the network's reach.

{schemes}

A band that moves along the inlines runs each tile once and keeps nothing on disk. But it holds w inlines: {band_gb}
GB of float64 sums for each output ({band_f4_gb} GB in float32). A column of 512 x 512 traces takes {column_gb} GB;
our owner of {owner}^3 takes {owner_mb} MB, and any worker may take any of them.

## What to choose

{choices}

- **chunk**: about as large as a tile. Smaller ones waste less reading and are more files.
- **shard**: no two workers write one, so owners are whole shards. Large ones are few files and ask for memory:
  {bytes_a_value} bytes for each sample and output must fit {sums_share} of `--memory-mb`. A chunk without a shard
  counts as one.
- **--memory-mb**: larger owners keep less. Six blended outputs (faults with normals) ask for six times the sums.
- **--workers**: one for each core or GPU, until the store is full. Memory and the loss at a kill grow with their
  number.
- **overlap**: {overlap_more} takes {more} times the forwards of {overlap_less}. Take it where seams are seen.
"""


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    print(page(found, found.pop("machine")), end="")
