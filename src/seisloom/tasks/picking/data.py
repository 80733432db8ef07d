"""From a survey to samples and items: plan what there is, read one, and put a gather together."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.augment.augmentation import generator
from seisloom.errors import DataError, LeftOut, MissingDataError, RecipeError
from seisloom.io.segy import cached_traces
from seisloom.recipe import expand
from seisloom.sample import Array, Arrays, Ref, Sample
from seisloom.signal.filters import resample
from seisloom.signal.scaling import count_non_finite
from seisloom.split import unit_hash
from seisloom.tasks.picking.recipe import Gathering, PickingRecipe
from seisloom.tasks.picking.survey.manifest import read_manifest, survey_root
from seisloom.tasks.picking.windows import (
    Prepared,
    cut,
    jitter_reach_s,
    mask_around,
    noise_start_s,
    window_samples,
    window_start_s,
)

NOISE = "-noise-"
"""Stands in the key of a window of noise, between the key of its trace and its number."""
TOGETHER = 64
"""Traces that are prepared at once: enough to pay for a filter's design, few enough to stay in the cache."""

FASTEST_M_S = 10_000.0
"""No first arrival of an active source is faster, not even over many kilometres: P waves below the Moho have about
8.1 km/s (Christensen & Mooney 1995, JGR 100, 9761-9788); the rest is for a shot's time that is a little wrong."""


def root_of(recipe: PickingRecipe) -> Path:
    """Return the folder that the paths of the manifests are relative to.

    Raises:
        RecipeError: if the recipe names none.
        MissingDataError: if it is not there.
    """
    return survey_root(_folder(recipe))


def _folder(recipe: PickingRecipe) -> Path:
    """Return the folder that has the manifests."""
    if recipe.data.root is None:
        raise RecipeError("data.root: no survey is given. Set it in the recipe, or use --data ROOT")
    root = expand(recipe.data.root)
    if not root.is_dir():
        raise MissingDataError(f"{root}: no such folder (data.root). Say where the survey is, with --data ROOT")
    return root


def manifest_of(recipe: PickingRecipe) -> Any:  # Any: a pandas table; pandas is imported late
    """Return the rows of the survey's manifests, of the geometries that the recipe asks for."""
    table = read_manifest(_folder(recipe), recipe.data.geometries or None)
    for geometry, shift_s in recipe.data.pick_shift_s.items():
        table.loc[table["geometry"] == geometry, "pick_time_s"] += shift_s
    return table


def plan(recipe: PickingRecipe) -> list[Ref]:
    """Return a ref for each trace that can be used, station by station, and for the windows of noise."""
    table = manifest_of(recipe)
    unknown = set(recipe.data.pick_shift_s) - set(table["geometry"])
    if unknown:
        raise RecipeError(f"data.pick_shift_s: no geometry is named {sorted(unknown)[0]!r}")
    rows = table.to_dict("records")
    refs: list[Ref] = []
    by_station: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_station[(row["geometry"], row["station"])].append(row)
    for station_rows in by_station.values():
        records = [_ref(recipe, row) for row in station_rows if _usable(recipe, row)]
        refs += [*records, *_noise_refs(recipe, records)]
    if not refs:
        raise DataError(f"{recipe.data.root}: the manifests have {len(rows)} traces, and none can be used")
    return refs


def _usable(recipe: PickingRecipe, row: Mapping[str, Any]) -> bool:
    """A window around a pick needs a pick; other windows keep traces that nobody picked as company in a gather."""
    return recipe.shards.win_mode != "pick" or row["pick_status"] in ("picked", "no_arrival")


def _ref(recipe: PickingRecipe, row: Mapping[str, Any]) -> Ref:
    numbers = ("pick_time_s", "pick_uncertainty_s", "delay_s", "sampling_rate_hz", "offset_m")
    return Ref(
        key=trace_key(row),
        groups=groups_of(row),
        seed=recipe.seed,
        source={
            "segy_path": row["segy_path"], "trace_index": int(row["trace_index"]),
            "n_samples": int(row["n_samples"]), "pick_status": row["pick_status"],
            "kind": "noise" if recipe.shards.win_mode == "pick" and row["pick_status"] == "no_arrival" else "record",
            **{name: _number(row[name]) for name in numbers},
        },
    )  # fmt: skip


def trace_key(row: Mapping[str, Any]) -> str:  # Any: a table's cells
    """Return the key of the trace of a manifest's row."""
    return f"{row['geometry']}/{row['station']}/shot-{int(row['shot_id']):06d}-trace-{int(row['trace_index']):05d}"


def groups_of(row: Mapping[str, Any]) -> dict[str, str]:  # Any: a table's cells
    """Return what the trace of a manifest's row belongs to; station and shot carry their line's name."""
    line = str(row["geometry"])
    return {"geometry": line, "station": f"{line}/{row['station']}", "shot": f"{line}/{int(row['shot_id'])}"}


def record_key(ref: Ref) -> str:
    """Return the key of the trace that a ref is cut from: its own, or that of the trace around a window of noise."""
    return ref.key.split(NOISE)[0]


def _number(value: Any) -> float | None:  # Any: a table's cell
    return None if value is None or math.isnan(float(value)) else float(value)


def _noise_refs(recipe: PickingRecipe, records: Sequence[Ref]) -> list[Ref]:
    """Return refs for windows of noise of one station: drawn by a keyed hash, capped by its number of picks.

    Windows that do not follow the pick (fixed, none) hold noise anyway, before the onset and where there is none.
    """
    config = recipe.shards
    if config.win_mode in ("fixed", "none"):
        return []
    cap = math.floor(config.neg_to_pos_max * sum(ref.source["pick_status"] == "picked" for ref in records))
    candidates = [
        replace(ref, key=f"{ref.key}{NOISE}{k}", source={**ref.source, "kind": "noise"})
        for ref in records
        if ref.source["pick_status"] != "unpicked" and ref.source["kind"] == "record"
        for k in range(config.neg_k)
    ]
    candidates.sort(key=lambda ref: unit_hash("noise", recipe.seed, ref.key))
    return sorted(candidates[:cap], key=lambda ref: ref.key)


def read(recipe: PickingRecipe, ref: Ref) -> Sample:
    """Return the window of one trace with its labels.

    Raises:
        LeftOut: if the trace does not qualify: dead, pick outside of its window, no quiet place for noise.
    """
    (found,) = read_many(recipe, [ref])
    if isinstance(found, LeftOut):
        raise found
    return found


def read_many(recipe: PickingRecipe, refs: Sequence[Ref]) -> Iterator[Sample | LeftOut]:
    """Yield the windows of some traces in their order; a LeftOut stands for one that does not qualify.

    Neighbours in the list that share rate and length are prepared together, which is many times faster than one by
    one, and gives the same samples.
    """
    root = root_of(recipe)
    for (fs_hz, _), some in groupby(refs, key=lambda ref: (ref.source["sampling_rate_hz"], ref.source["n_samples"])):
        alike = list(some)
        for first in range(0, len(alike), TOGETHER):
            block = alike[first : first + TOGETHER]
            raw = _read_block(root, block)
            dead = np.ptp(raw, axis=-1) == 0.0
            x, prepared_fs_hz, n_bad = prepare(recipe, raw, fs_hz=fs_hz)
            for ref, trace, is_dead, bad in zip(block, x, dead.tolist(), n_bad.tolist(), strict=True):
                try:
                    yield _sample(recipe, ref, trace, fs_hz=prepared_fs_hz, dead=is_dead, n_bad=bad)
                except LeftOut as reason:
                    yield reason


def _read_block(root: Path, refs: Sequence[Ref]) -> Array:
    """Return the traces of some refs, float32 (trace, time); neighbours in one file are read together."""
    parts = []
    for segy_path, some in groupby(refs, key=lambda ref: str(ref.source["segy_path"])):
        parts.append(cached_traces(root / segy_path).read_many(np.array([ref.source["trace_index"] for ref in some])))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sample(recipe: PickingRecipe, ref: Ref, x: Array, *, fs_hz: float, dead: bool, n_bad: int) -> Sample:
    """Return the window of a trace that is prepared, shape (channel, time)."""
    source, config = ref.source, recipe.shards
    noise = source["kind"] == "noise"
    if dead and config.win_mode == "pick":
        raise LeftOut("dead trace: all samples are equal")
    pick_s = math.nan if source["pick_time_s"] is None else source["pick_time_s"]
    record = Prepared(x, fs_hz, source["delay_s"] or 0.0, pick_s)
    if noise:
        start_s = noise_start_s(config, record, generator("window", recipe.seed, ref.key))
    else:
        draws = jitter_reach_s(config) > 0
        start_s = window_start_s(config, record, generator("window", recipe.seed, ref.key) if draws else None)
    n_samples = window_samples(config, record)
    window, t0_s = cut(record, start_s, n_samples)
    y_idx = (record.pick_s - t0_s) * fs_hz
    inside = not noise and not dead and 0 <= y_idx <= n_samples - 1
    if not noise and source["pick_status"] == "picked" and not inside and config.win_mode == "pick":
        raise LeftOut("the pick lies outside of its window: target_len is too short")
    known = noise or dead or source["pick_status"] != "unpicked"
    arrays = {
        "x": window,
        "y_mask": mask_around(y_idx if inside else -1, n_samples, config.pos_win_s * fs_hz),
        "has_pick": np.int8(1 if inside else 0 if known else -1),
        "y_idx": np.float32(y_idx if inside else -1),
        "y_sigma_s": np.float32(math.nan if source["pick_uncertainty_s"] is None else source["pick_uncertainty_s"]),
        "fs": np.float32(fs_hz),
        "t0_s": np.float32(t0_s),
        "offset_m": reachable_m(
            np.float32(math.nan if source["offset_m"] is None else source["offset_m"]), record.end_s
        ).astype(np.float32),
    }
    meta = {**source, "n_non_finite": n_bad, "window_start_s": round(float(t0_s), 9)}
    return Sample(ref.key, ref.groups, {name: np.asarray(one) for name, one in arrays.items()}, meta)


def reachable_m(offset_m: Any, end_s: Any) -> Array:  # Any: a number or an array of any shape
    """Return the offsets in m, NaN where no first arrival comes so far until `end_s`, in s after the shot."""
    offset_m = np.asarray(offset_m)
    return np.where(np.abs(offset_m) > FASTEST_M_S * np.maximum(end_s, 0), np.nan, offset_m)


def prepare(recipe: PickingRecipe, traces: Array, *, fs_hz: float) -> tuple[Array, float, Array]:
    """Return whole traces after resampling and the recipe's steps: what windows are cut from, here and in `apply`.

    Args:
        recipe: its `shards.target_fs` and `prepare` count.
        traces: amplitudes, shape (trace, time); NaN and Inf become 0 and are counted.
        fs_hz: their sampling rate.
    Returns:
        x of shape (trace, channel, time), float32; its sampling rate in Hz; how many samples of each trace were not
        finite, shape (trace,).
    """
    n_bad = count_non_finite(traces)
    if n_bad.any():
        traces = np.nan_to_num(traces, nan=0.0, posinf=0.0, neginf=0.0)
    target = recipe.shards.target_fs or fs_hz
    x = resample(traces, fs_hz=fs_hz, target_fs_hz=target)[:, None, :].astype(np.float32, copy=False)
    sample = Sample("prepare", {}, {"x": x, "fs": np.asarray(target)})
    for step in recipe.prepare:
        sample = step(sample)
    return sample.arrays["x"].astype(np.float32, copy=False), float(sample.arrays["fs"]), n_bad


def shard(ref: Ref) -> str:
    """Return the shard of a sample: one series a station, in the geometry's folder."""
    geometry, station = ref.key.split("/")[:2]
    return f"{geometry}/picks-{station}"


def group(recipe: PickingRecipe, refs: Sequence[Ref], training: bool) -> list[list[Ref]]:
    """Return the gathers: lists of refs that are seen together, neighbours in order.

    Training sees every way of gathering that the recipe names, validation the first.
    """
    ways = recipe.data.gather if training else recipe.data.gather[:1]
    return [gather for way in ways for gather in gathers(refs, way, size=recipe.data.gather_size)]


def gathers(refs: Sequence[Ref], way: Gathering, *, size: int) -> list[list[Ref]]:
    """Return refs by shot (neighbours are stations), by station (neighbours are shots), or each alone."""
    if way == "none":
        return [[ref] for ref in refs]
    across = "station" if way == "shot" else "shot"
    found: dict[tuple[str, str, bool], list[Ref]] = defaultdict(list)
    for ref in refs:
        found[(ref.groups["geometry"], ref.groups[way], NOISE in ref.key)].append(ref)
    parts: list[list[Ref]] = []
    for some in found.values():
        some.sort(key=lambda ref: (natural(ref.groups[across]), ref.key))
        n_parts = -(-len(some) // size)
        edges = np.linspace(0, len(some), n_parts + 1).round().astype(int)
        parts += [some[a:b] for a, b in pairwise(edges)]
    return parts


def natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts names with numbers in the order of the numbers.

    >>> sorted(["R10", "R9"], key=natural)
    ['R9', 'R10']
    """
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def join(recipe: PickingRecipe, samples: Sequence[Sample], rng: np.random.Generator | None) -> Arrays:
    """Return the gather of some samples, cropped to `data.crop_s`.

    Args:
        recipe: the recipe.
        samples: neighbours in order, windows of one length.
        rng: draws the place of the crop, anew in each epoch; None (validation) keeps the whole window, or takes a
            place keyed by the sample where windows were cut around the pick.
    """
    names = ("x", "has_pick", "y_idx", "t0_s", "offset_m")
    try:
        arrays = {name: np.stack([sample.arrays[name] for sample in samples]) for name in names}
    except ValueError as error:
        shapes = sorted({str(sample.arrays["x"].shape) for sample in samples})
        raise DataError(
            f"{samples[0].key}: windows of one gather differ in length ({', '.join(shapes)}). "
            "Set shards.target_fs, and win_mode fixed or target_len"
        ) from error
    arrays["fs"] = np.asarray(samples[0].arrays["fs"])
    n_time, n_crop = arrays["x"].shape[-1], _crop_samples(recipe, float(arrays["fs"]))
    if n_crop >= n_time:
        return arrays
    if rng is None:
        if recipe.shards.win_mode in ("fixed", "none"):
            return arrays
        rng = generator("crop", recipe.seed, samples[0].key)
    return _crop(arrays, _crop_start(recipe, arrays, n_crop, rng), n_crop)


def _crop_samples(recipe: PickingRecipe, fs_hz: float) -> int:
    return round(recipe.data.crop_s * fs_hz) if recipe.data.crop_s else 1 << 62


def _crop_start(recipe: PickingRecipe, arrays: Arrays, n_crop: int, rng: np.random.Generator) -> int:
    """Return where the crop begins: so that one of the picks lies in it, or anywhere."""
    last = arrays["x"].shape[-1] - n_crop
    anywhere, place, which = rng.random(3)
    picked = np.flatnonzero(arrays["has_pick"] == 1)
    if anywhere < recipe.data.crop_anywhere or picked.size == 0:
        return int(place * (last + 1))
    y = arrays["y_idx"][picked[int(which * picked.size)]]
    low, high = max(math.ceil(y) - n_crop + 1, 0), min(math.floor(y), last)
    return int(low + place * (high - low + 1))


def _crop(arrays: Arrays, start: int, n_crop: int) -> Arrays:
    y_idx = arrays["y_idx"] - np.float32(start)
    gone = (arrays["has_pick"] == 1) & ((y_idx < 0) | (y_idx > n_crop - 1))
    has_pick = np.where(gone, 0, arrays["has_pick"]).astype(np.int8)
    return {
        **arrays,
        "x": np.ascontiguousarray(arrays["x"][..., start : start + n_crop]),
        "has_pick": has_pick,
        "y_idx": np.where(has_pick == 1, y_idx, -1).astype(np.float32),
        "t0_s": (arrays["t0_s"] + start / arrays["fs"]).astype(np.float32),
    }
