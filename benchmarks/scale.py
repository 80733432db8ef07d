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
from math import prod
from pathlib import Path

from seisloom.inference.feed import blocks
from seisloom.inference.lattice import Index, Lattice, lattice
from seisloom.inference.owners import Owners, Queue, owner_size
from seisloom.inference.sweep import READING_SHARE, SUMS_SHARE

SHAPE, PATCH, CHUNK = (6400, 6400, 6250), 128, 128
OVERLAPS, WORKERS, GPU_RATES, MEMORY_MB = (0.25, 0.5), (1, 16, 128), (50e6, 200e6), 512
SMALL = 12
"""Owners along each axis of the cube whose order is played through: of all of them it would take an hour."""
VALUE, SUM = 4, 8
"""Bytes of a sample, and of a sum."""
Rates = dict[str, float]


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
        n = prod(times for _, times in combined)
        some = [place for place, _ in combined]
        for box, _ in blocks(_Placed(some), _indices(some), max_voxels=int(READING_SHARE * memory_mb * 1e6 / VALUE)):
            asked += n * prod(side.stop - side.start for side in box)
            decoded += n * prod(CHUNK * (-(-side.stop // CHUNK) - side.start // CHUNK) for side in box)
        at_home += n * prod(
            sum(min(start + PATCH, end) - start for start in starts) for (starts, end), _ in combined
        )  # fmt: skip
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


def _indices(places: Sequence[Placed]) -> list[Index]:
    return list(itertools.product(*(range(len(starts)) for starts, _ in places)))


class _Placed(Lattice):
    """The tiles of one owner, for `blocks`."""

    def __init__(self, places: Sequence[Placed]) -> None:
        object.__setattr__(self, "places", places)

    def box(self, tile: Index) -> tuple[slice, ...]:
        starts = (starts[i] for (starts, _), i in zip(self.places, tile, strict=True))  # type: ignore[attr-defined]
        return tuple(slice(start, start + PATCH) for start in starts)


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


def seconds(work: Work, rates: Rates, kept_mb: float, forward: float) -> dict[str, float]:
    """Return the seconds of one worker for each stage, one after the other."""
    n = prod(SHAPE)
    return {
        "fingerprint": VALUE * n / 1e6 / rates["fingerprint_mb_s"],
        "read": VALUE * work.decoded / 1e6 / rates["zarr_read_mb_s"],
        "scale": work.asked / rates["scale_voxels_s"],
        "network": work.forward / forward,
        "keep": kept_mb / rates["spill_write_mb_s"] + kept_mb / rates["spill_read_mb_s"],
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
    return f"{s:.2g} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def tb(n_bytes: float) -> str:
    """Return bytes in TB."""
    return f"{n_bytes / 1e12:.3g} TB"


def page(rates: Rates) -> str:
    """Return the page."""
    n, works = prod(SHAPE), [count(overlap) for overlap in OVERLAPS]
    played = {(w.overlap, k): play(w.overlap, w.owner, k) for w in works for k in WORKERS}
    kept = {(w.overlap, k): VALUE * (w.reaching + played[w.overlap, k][0] * w.at_home) for w in works for k in WORKERS}
    nets = {"2-D": rates["forward_2d_voxels_s"], "3-D": rates["forward_3d_voxels_s"]}

    counts = table(
        ["", *(f"overlap {w.overlap:g}" for w in works)],
        [
            ["tiles, each run once", *(f"{w.n_tiles:,}" for w in works)],
            ["voxels through the network, for each of the survey", *(f"{w.forward / n:.2f}" for w in works)],
            ["owners, of " + " x ".join(map(str, works[0].owner)), *(f"{w.n_owners:,}" for w in works)],
            ["first pass, the fingerprint, reads", *(tb(VALUE * n) for _ in works)],
            ["blocks around the tiles", *(tb(VALUE * w.asked) for w in works)],
            ["chunks that are decompressed for these", *(tb(VALUE * w.decoded) for w in works)],
            ["written, for each attribute, before compression", *(tb(VALUE * n) for _ in works)],
            *(
                [f"kept on the way, {k} worker{'s' * (k > 1)} (at once, at most)"]
                + [f"{tb(kept[w.overlap, k])} ({tb(kept[w.overlap, k] * played[w.overlap, k][1])})" for w in works]
                for k in WORKERS
            ),
            [
                "forwards if nothing were kept, over those needed",
                *(f"{w.without_spill / w.n_tiles:.2f}" for w in works),
            ],
        ],
    )
    measured = table(
        ["stage", "rate"],
        [
            ["read SEG-Y", f"{rates['segy_read_mb_s']:.3g} MB/s"],
            ["read Zarr", f"{rates['zarr_read_mb_s']:.3g} MB/s"],
            ["write Zarr", f"{rates['zarr_write_mb_s']:.3g} MB/s"],
            ["fingerprint, with reading Zarr", f"{rates['fingerprint_mb_s']:.3g} MB/s"],
            ["scale", f"{rates['scale_voxels_s'] / 1e6:.3g} M voxels/s"],
            ["keep; take back", f"{rates['spill_write_mb_s']:.3g}; {rates['spill_read_mb_s']:.3g} MB/s"],
            ["blend, each output", f"{rates['blend_voxels_s'] / 1e6:.3g} M voxels/s"],
            ["small 2-D network", f"{nets['2-D'] / 1e6:.3g} M voxels/s"],
            ["small 3-D network", f"{nets['3-D'] / 1e6:.3g} M voxels/s"],
        ],
    )
    rows = []
    for w, (name, forward) in itertools.product(works, nets.items()):
        stages = seconds(w, rates, kept[w.overlap, 1] / 1e6, forward)
        whole = [sum(seconds(w, rates, kept[w.overlap, k] / 1e6, forward).values()) / k for k in WORKERS]
        rows.append([f"{name}, {w.overlap:g}", *map(duration, stages.values()), *map(duration, whole)])
    stage_names = list(seconds(works[0], rates, 0, 1.0))
    times = table(["network, overlap", *stage_names, *(f"all, {k}" for k in WORKERS)], rows)

    gpu_rows, limits = [], []
    for w in works:
        stages = [seconds(w, rates, kept[w.overlap, 16] / 1e6, rate) for rate in GPU_RATES]
        limits.append(w.forward / (with_gpu(stages[0])[1] - stages[0]["fingerprint"]))
        for rate, some in zip(GPU_RATES, stages, strict=True):
            total = with_gpu(some)[0]
            gpu_rows.append(
                [
                    f"{w.overlap:g}, {rate / 1e6:.0f} M/s", duration(some["network"]), duration(total),
                    f"{100 * some['network'] / total:.0f} %", *(duration(total / k) for k in WORKERS[1:]),
                    f"{VALUE * (n + w.asked + n) / total * 16 / 1e9:.2g} GB/s",
                ]
            )  # fmt: skip
    gpu = table(
        ["overlap, network", "network alone", "all, 1 GPU", "it is busy", *(f"all, {k}" for k in WORKERS[1:]),
         "of the store, 16"],
        gpu_rows,
    )  # fmt: skip

    owner = works[0].owner[0]
    lost = {name: works[0].forward / works[0].n_owners / forward for name, forward in nets.items()}
    schemes = []
    for w in works:
        stride, halo = int(PATCH * (1 - w.overlap)), int(PATCH * w.overlap) // 2
        schemes.append(
            [
                f"{w.overlap:g}", f"{w.forward / n:.2f}",
                *(f"{((s + PATCH - stride) / s) ** 3:.2f}" for s in (256, 512)),
                f"{halo}", f"{(PATCH / (PATCH - 2 * halo)) ** 3:.2f}",
            ]
        )  # fmt: skip
    costs = table(
        ["overlap", "needed by blending, forwards a voxel", "times, owner of 256^3 that keeps nothing",
         "times, owner of 512^3", "halo that is cut off", "forwards a voxel with it"],
        schemes,
    )  # fmt: skip
    choices = []
    for grain in (128, 256, 512):
        memory = MEMORY_MB if grain < 512 else grain**3 * 12 / 1e6 / SUMS_SHARE * 1.01
        w = count(0.25, grain, memory)
        files = prod(-(-side // grain) for side in SHAPE)
        choices.append(
            [f"{grain}^3", f"{files:,}", f"{memory:,.0f}", "x".join(map(str, w.owner)), f"{w.n_owners:,}",
             tb(VALUE * w.reaching), tb(VALUE * w.decoded)]
        )  # fmt: skip
    shards = table(
        ["shard (or chunk)", "files", "memory_mb", "owner", "owners", "kept, at least", "decompressed"], choices
    )
    return f"""# Scale: a survey of 1 TB, on paper

<!-- Made by benchmarks/scale.py; change it there. -->

A survey of {" x ".join(map(str, SHAPE))} samples (inline, crossline, time; float32) is {tb(VALUE * n)}. Nobody ran it
here. This page multiplies: what the code counts for it, by rates that were measured on small volumes. Tiles have {
        PATCH
    }^3
samples, chunks {CHUNK}^3, a worker has `--memory-mb {MEMORY_MB}`, and one output is blended.

## What was measured

`benchmarks/apply_memory.py --stages`, one thread each, on {
        rates.get("machine", "2 cores of a shared server")
    } with other
work going on. Files were in memory, not on a slow disk. Rates differ by a factor of two from run to run.

{measured}

## What has to be done

{counts}

A tile is run once, by the owner in which it begins; what reaches into later owners is kept on disk for them. Several
workers sometimes have to begin before their neighbours: then they keep their own tiles too. How often was played through
with a cube of {
        SMALL
    }^3 owners and steps of one length. Blocks of one owner, and of neighbours, overlap by the overlap of
tiles; Zarr decompresses whole chunks, so it does more than is asked of it.

## How long it takes on CPUs

Seconds of one worker with one thread, stage by stage, and the whole on {", ".join(map(str, WORKERS))} workers:

{times}

**The network limits.** With the small 3-D network {
        100
        * works[0].forward
        / nets["3-D"]
        / sum(
            seconds(works[0], rates, kept[0.25, 1] / 1e6, nets["3-D"]).values()
        ):.0f} % of the time is spent in it, with the small 2-D one (shown every voxel as often)
{
        100
        * works[0].forward
        / nets["2-D"]
        / sum(seconds(works[0], rates, kept[0.25, 1] / 1e6, nets["2-D"]).values()):.0f} %. Dividing by
workers supposes that the store keeps up, and that nobody waits at the end; one process hands out the owners.

## With GPUs

Reading and scaling run ahead of the network in a thread; blending, keeping and writing follow it.

{gpu}

From {limits[0] / 1e6:.2g} M voxels/s on (overlap 0.25; {
        limits[1] / 1e6:.2g} M at 0.5) one worker with one core for all else spends more time on
the store and on blending than in the network. Beyond that, run several workers a GPU: they share nothing but the store.

## Memory

Peak of one worker with a network that costs nothing, from Zarr to Zarr (`benchmarks/apply_memory.py`):
{rates["small_peak_mb"]:.0f} MB for 256^3 samples, {
        rates["large_peak_mb"]:.0f} MB for 1024 x 1024 x 512. It depends on `--memory-mb`, the chunks and the
patch. Three things grow with the survey, slowly: the place of each trace of a SEG-Y file ({
        8 * SHAPE[0] * SHAPE[1] / 1e6:.0f} MB here; nothing for
Zarr), the list of owners in the process that hands them out ({
        works[0].n_owners:,} of them), and the header words while a
SEG-Y file is opened. Activations of the network come on top.

## When it is killed

Owners that are written stay written, so each worker loses at most the one it was at: {
        works[0].n_tiles / works[0].n_owners:.1f} tiles on average,
{duration(lost["3-D"])} of the small 3-D network on one core, {duration(lost["2-D"])} of the 2-D one. The fingerprint ({
        duration(VALUE * n / 1e6 / rates["fingerprint_mb_s"])
    } of one worker) is
made again. Files that were being kept and have no end are run again. The result is the same, byte for byte.

## Against other schemes

Tiles of w samples every s samples see each voxel (w/s)^3 times: that is the price of blending. An owner of S samples
is touched by (S + w)/s - 1 tiles along an axis where S/s would do, so without keeping anything it costs
((S + w - s)/S)^3 times as much. We keep the outputs instead, and pay with the disk.
The other way is to blend nothing: see w, keep the core w - 2h, at (w/(w - 2h))^3. Seams are gone only
where the halo h is at least the network's reach.

{costs}

A band that moves along the inlines runs each tile once too, and keeps nothing on disk. But it holds w inlines:
{SUM * PATCH * SHAPE[1] * SHAPE[2] / 1e9:.0f} GB of float64 sums for each output ({
        VALUE
        * PATCH
        * SHAPE[1]
        * SHAPE[2]
        / 1e9:.0f} GB in float32), and one worker at a time moves it. A column of 512 x 512
traces takes {SUM * 512 * 512 * SHAPE[2] / 1e9:.0f} GB; our owner of {owner}^3 {
        SUM * owner**3 / 1e6:.0f} MB, and any worker may take any of them.

## What to choose

{shards}

- **chunk**: about as large as a tile. Smaller ones are read with less waste and are more files.
- **shard**: two workers never write one, so owners are whole shards. Large ones make few files and ask for memory:
  12 bytes for each sample and output must fit {SUMS_SHARE:.0%} of `--memory-mb`.
- **--memory-mb**: larger owners keep less. Divide the memory of a machine by its workers, less network and activations,
  and half as much again for what is read and compressed. Six blended outputs (fault and normals) need six times the sums.
- **--workers**: one for each core or GPU, until the store is full. Memory and the loss at a kill grow with their number.
- **overlap**: 0.5 costs {
        works[1].forward / works[0].forward:.1f} times the forwards of 0.25. Take it where seams are seen.
"""


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text())), end="")
