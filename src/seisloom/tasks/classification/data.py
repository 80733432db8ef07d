"""From catalogues to samples and items: plan which windows there are, read one, and crop it."""

from __future__ import annotations

import logging
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, LeftOut
from seisloom.io.waveforms.entry import Entry
from seisloom.io.waveforms.sources import find_catalogue, read_entry
from seisloom.io.waveforms.times import iso, parse_utc, seconds_between
from seisloom.io.waveforms.waveform import Waveform
from seisloom.recipe import expand
from seisloom.sample import Arrays, Ref, Sample, content_hash
from seisloom.task import read_each
from seisloom.tasks.classification.recipe import BEHIND, NOISE, ClassificationData, ClassificationRecipe
from seisloom.tasks.classification.selection import (
    Chosen,
    check_picks,
    class_of,
    classes_from,
    entries_of,
    onset_of,
    report,
)
from seisloom.tasks.classification.synthetic import is_synthetic, synthetic_waveform
from seisloom.tasks.classification.windows import (
    LONG_S,
    RUN_IN_S,
    EventRecord,
    cut,
    margin_samples,
    prepare,
    window_samples,
    window_start_s,
    without_gaps,
)

logger = logging.getLogger("seisloom")
CUT = (
    "channels", "missing", "sampling_rate_hz", "window_s", "before_s", "shift_s", "trim", "noise_before_s", "behind_s",
    "gaps", "min_real", "snr_signal_s", "snr_noise_s",
)  # fmt: skip
"""Keys of `data` that change the bytes of a sample: they stand in each ref, so that shards of others are not taken."""
SHIFTED_SAMPLES = 1.5
"""By how many samples the start that a catalogue tells may differ from the header's before it is said."""


def plan(recipe: ClassificationRecipe) -> list[Ref]:
    """Return a ref for each window of each record that has a class; no samples are read.

    Where no catalogue is given, events are synthetic, which is said.

    Raises:
        DataError: if the records do not fit the recipe: components, sampling rates, classes, onsets.
        MissingDataError: if a catalogue or all of its waveforms are not there.
    """
    return list(_planned(recipe.seed, recipe.data.model_dump_json(), _stamps(recipe.data)))


def classes_of(recipe: ClassificationRecipe) -> tuple[str, ...]:
    """Return the classes in the order of their indices: those of the recipe, or all labels of its data, sorted."""
    if recipe.data.classes:
        return tuple(recipe.data.classes)
    return tuple(sorted({ref.groups["class"] for ref in plan(recipe)}))


def with_classes(recipe: ClassificationRecipe) -> ClassificationRecipe:
    """Return the recipe with its classes written out, so that they do not depend on the data any more.

    A network has to be trained with this one: its outputs mean nothing without the list.
    """
    classes = recipe.data.classes or {name: (name,) for name in classes_of(recipe)}
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"classes": classes})})


def _stamps(data: ClassificationData) -> tuple[int, ...]:
    """Return when each catalogue was last changed; none where events are synthetic."""
    if is_synthetic(data):
        return ()
    return tuple(os.stat(find_catalogue(expand(path))).st_mtime_ns for path in data.paths)


@lru_cache(maxsize=4)  # planning says what it left out, once
def _planned(seed: int, data_json: str, _stamps: tuple[int, ...]) -> tuple[Ref, ...]:
    data = ClassificationData.model_validate_json(data_json)
    chosen = check_picks(data, entries_of(data, seed=seed))
    labels = Counter(one.label for one in chosen)
    for label in data.labels_beside():
        labels[label] += len(chosen)
    classes = classes_from(data, labels)
    refs = refs_of(data, chosen, classes, seed=seed)
    counts = Counter(ref.groups["class"] for ref in refs)
    report(data, labels, {name: counts[name] for name in classes})
    return tuple(refs)


def refs_of(
    data: ClassificationData, chosen: Sequence[Chosen], classes: Sequence[str], *, seed: int, unlabelled: bool = False
) -> list[Ref]:
    """Return the refs of records of the given classes.

    Args:
        data: says how windows are cut.
        chosen: records.
        classes: in the order of their indices.
        seed: of the recipe.
        unlabelled: keep records whose class nobody knows, or that is none of these; their index is -1.
    Raises:
        DataError: if two records have one key.
    """
    first_of = _event_times(chosen)
    shortest_s = _shortest_s(chosen) if data.trim == "shortest" else None
    made = {"synth": {"classes", "stations", "priors"}} if is_synthetic(data) else {}
    settings = data.model_dump(mode="json", include={**dict.fromkeys(CUT, True), **made})
    refs: list[Ref] = []
    owner: dict[str, str] = {}
    for one in chosen:
        key = f"{one.set_name}/{one.entry.key}"
        if key in owner:
            raise DataError(f"{one.entry.where}: {key} is there already ({owner[key]}). Name the events apart")
        owner[key] = one.entry.where
        source = {**_source(data, one), "cut": settings, "shortest_s": shortest_s}
        groups = _groups(one, first_of)
        labels: list[tuple[str, str, float | None]] = [(key, one.label, None)]
        if data.noise_before_s is not None:
            labels.append((f"{key}-{NOISE}", NOISE, None))
        labels += [(f"{key}-{BEHIND}-{behind_s:g}", BEHIND, behind_s) for behind_s in data.behind_s]
        for name, label, behind_s in labels:
            found = class_of(data, label)
            known = found is not None and found in classes
            if known or unlabelled:
                index = classes.index(str(found)) if known else -1
                kind = {"class": str(found)} if known else {}
                part = {"label": index, "is_noise": name == f"{key}-{NOISE}", "behind_s": behind_s}
                refs.append(Ref(name, {**groups, **kind}, seed, {**source, **part}))
    return refs


def _shortest_s(chosen: Sequence[Chosen]) -> float | None:
    """Return the length of the shortest record in s, and say which one decides."""
    if not chosen:
        return None
    shortest = min(chosen, key=lambda one: one.entry.duration_s).entry
    logger.warning(
        "data.trim: shortest: %s has %.4g s, and all %d records are cut to it", shortest.key, shortest.duration_s,
        len(chosen),
    )  # fmt: skip
    return shortest.duration_s


def _event_times(chosen: Iterable[Chosen]) -> dict[str, np.datetime64]:
    """Return the earliest time of each event's records."""
    first: dict[str, np.datetime64] = {}
    for one in chosen:
        start, event = one.entry.start, one.entry.event
        if not np.isnat(start):
            first[event] = min(first.get(event, start), start)
    return first


def _groups(one: Chosen, first_of: Mapping[str, np.datetime64]) -> dict[str, str]:
    """Return what a record belongs to; what is not known is not there, so that a split by it is refused."""
    entry = one.entry
    groups = {"event": entry.event, "station": f"{entry.network}.{entry.station}", "set": one.set_name}
    if entry.network:
        groups["network"] = entry.network
    if entry.event in first_of:
        groups["time"] = iso(first_of[entry.event])
        groups["year"] = groups["time"][:4]
    if not math.isnan(entry.latitude + entry.longitude):
        # Cells of a degree, by their south-west corner: 111 km, so that records of a quarry share one
        south, west = math.floor(entry.latitude), math.floor(entry.longitude)
        groups["region"] = f"{abs(south)}{'N' if south >= 0 else 'S'}{abs(west)}{'E' if west >= 0 else 'W'}"
    return groups


def _source(data: ClassificationData, one: Chosen) -> dict[str, Any]:  # Any: JSON values
    """Return what reading a record needs: plain JSON values, which do not depend on where the catalogue lies."""
    entry, folder = one.entry, _folder(data, one.catalogue)
    onset_s = onset_of(data, entry) if np.isnat(entry.pick_time) else math.nan
    return {
        "catalogue": one.catalogue, "files": [os.path.relpath(file, folder) for file in entry.files],
        "trace": entry.trace, "name": entry.name, "fs_hz": _known(entry.fs_hz), "start": iso(entry.start),
        "onset_s": _known(onset_s), "onset": iso(entry.pick_time), "where": Path(entry.where).name,
    }  # fmt: skip


def _folder(data: ClassificationData, number: int) -> Path:
    """Return the folder that the files of a catalogue are relative to; synthetic records have no files."""
    if is_synthetic(data):
        return Path()
    path = expand(data.paths[number])
    return path if path.is_dir() else path.parent


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def entry_of(recipe: ClassificationRecipe, ref: Ref) -> Entry:
    """Return what the catalogue said of the record behind a ref."""
    source, folder = ref.source, _folder(recipe.data, int(ref.source["catalogue"]))
    network, station, location, band = source["name"].split(".")
    return Entry(
        ref.groups["event"], tuple(str(folder / file) for file in source["files"]), network, station, location, band,
        trace=source["trace"], fs_hz=source["fs_hz"] or math.nan, where=source["where"],
        start=parse_utc(source["start"], where=ref.key),
        pick_s=math.nan if source["onset_s"] is None else source["onset_s"],
        pick_time=parse_utc(source["onset"], where=ref.key),
    )  # fmt: skip


def load(recipe: ClassificationRecipe, ref: Ref, *, whole: bool = True) -> EventRecord:
    """Return the record behind a ref, on the recipe's sampling rate and filtered, with its window planned.

    Args:
        recipe: its `data` and the filters at the head of `prepare` count.
        ref: of `plan`.
        whole: keep all of a record that is longer than 10 minutes, not only what its window needs.
    Raises:
        MissingDataError, DataError: see `read_entry`.
        LeftOut: if nothing was recorded.
    """
    entry = entry_of(recipe, ref)
    waveform = synthetic_waveform(recipe.data, entry, ref.seed) if not entry.files else read_entry(entry)
    notes = list(_notes_of(entry, waveform))
    if np.isnat(entry.start):
        waveform = replace(waveform, start=entry.start)  # the catalogue says that it is not known; a file needs one
    waveform = waveform.with_channels(recipe.data.channels, missing=_missing(recipe))
    content = content_hash(np.nan_to_num(waveform.values))
    notes += [*waveform.notes, *(f"{n} samples: {what}" for what, n in waveform.counts.items())]
    onset_s = entry.pick_s
    if not np.isnat(entry.pick_time):
        onset_s = seconds_between(entry.pick_time, waveform.start)
    n_dropped = 0
    if recipe.data.gaps == "drop":
        waveform, onset_s, n_dropped = without_gaps(waveform, onset_s)
    if not np.isfinite(waveform.values).any():
        raise LeftOut("nothing was recorded: all samples are missing")
    first_s = _first_s(recipe, ref, onset_s=onset_s, duration_s=waveform.duration_s)
    if not whole and waveform.duration_s > LONG_S:
        skipped = max(math.floor((first_s - RUN_IN_S) * waveform.fs_hz), 0)
        length_s = _length_s(recipe, ref) + min(first_s, RUN_IN_S) + RUN_IN_S
        waveform = waveform.piece(skipped, math.ceil(length_s * waveform.fs_hz))
        first_s, onset_s = first_s - skipped / waveform.fs_hz, onset_s - skipped / waveform.fs_hz
    x, mask, fs_hz = prepare(recipe, waveform)
    return EventRecord(
        ref.key, x, mask, fs_hz, tuple(recipe.data.channels), dict(ref.groups), "".join(entry.files[:1]),
        waveform.start, onset_s,
        first_s, int(ref.source["label"]), bool(ref.source["is_noise"]), ref.source["behind_s"] is not None,
        content, n_dropped, tuple(notes),
    )  # fmt: skip


def _missing(recipe: ClassificationRecipe) -> str:
    return "zero" if recipe.data.missing == "zero" else "refuse"


def _notes_of(entry: Entry, waveform: Waveform) -> Iterator[str]:
    """Yield what the catalogue says otherwise than the header, which is right of time, and may have no codes."""
    if waveform.station and (waveform.network, waveform.station) != (entry.network, entry.station):
        yield f"{entry.where} says that it is of {entry.name}, which counts; its header says {waveform.name}"
    start, late_s = waveform.start, seconds_between(waveform.start, entry.start)
    if abs(late_s) > SHIFTED_SAMPLES / (entry.fs_hz if entry.fs_hz > 0 else 1.0):
        said = f"{entry.where} says that it starts at {iso(entry.start)}; its header says {iso(start)}, which counts"
        logger.warning("%s: %s", entry.files[0], said)
        yield said


def _first_s(recipe: ClassificationRecipe, ref: Ref, *, onset_s: float, duration_s: float) -> float:
    """Return where the window that is stored begins, in s after the first sample."""
    if ref.source["shortest_s"] is not None:
        return 0.0
    if ref.source["is_noise"]:
        return float(recipe.data.noise_before_s or 0.0) - _length_s(recipe, ref)
    if ref.source["behind_s"] is not None:
        return onset_s + float(ref.source["behind_s"]) - recipe.data.shift_s
    return window_start_s(recipe, onset_s=onset_s, duration_s=duration_s)


def item_samples(recipe: ClassificationRecipe, fs_hz: float) -> int:
    """Return the samples of an item along time: what a network that knows one length is built for.

    Args:
        recipe: with `data.trim: shortest` its data are planned, since their shortest record decides.
        fs_hz: sampling rate in Hz that records are brought to.
    """
    shortest_s = plan(recipe)[0].source["shortest_s"] if recipe.data.trim == "shortest" else None
    return window_samples(recipe, fs_hz, shortest_s)


def _length_s(recipe: ClassificationRecipe, ref: Ref) -> float:
    """Return the length of the window that is stored, in s."""
    shortest_s = ref.source["shortest_s"]
    return recipe.data.window_s + 2 * recipe.data.shift_s if shortest_s is None else float(shortest_s)


def read(recipe: ClassificationRecipe, ref: Ref) -> Sample:
    """Return the window of a record with its class.

    Raises:
        LeftOut: if the record does not qualify: nothing recorded, constant, too little of the window.
        DataError, MissingDataError: see `load`.
    """
    record = load(recipe, ref, whole=False)
    assert record.first_s is not None  # planned
    shortest_s = ref.source["shortest_s"]
    if shortest_s is None:
        n_samples = window_samples(recipe, record.fs_hz) + 2 * margin_samples(recipe, record.fs_hz)
    else:
        n_samples = window_samples(recipe, record.fs_hz, shortest_s)
    return cut(recipe, record, record.first_s, n_samples)


read_many = partial(read_each, read)


def shard(ref: Ref) -> str:
    """Return the shard of a sample: one series a set."""
    return f"{ref.key.split('/', 1)[0]}/events"


def group(recipe: ClassificationRecipe, refs: Sequence[Ref], training: bool) -> list[list[Ref]]:
    """Return each window alone."""
    return [[ref] for ref in refs]


def join(recipe: ClassificationRecipe, samples: Sequence[Sample], rng: np.random.Generator | None) -> Arrays:
    """Return a window as the arrays of an item, cropped by `data.shift_s` at either end.

    Its class becomes shares of all classes, which augmentations can mix.

    Args:
        recipe: the recipe.
        samples: one.
        rng: draws the place of the crop, anew in each epoch; None takes the middle.
    """
    (sample,) = samples
    arrays = {name: sample.arrays[name] for name in ("x", "mask", "fs", "has_pick", "y_idx")}
    label = int(sample.arrays["label"])
    shares = np.full(len(classes_of(recipe)), -1 if label < 0 else 0, np.float32)
    shares[label : label + 1] = 1 if label >= 0 else -1
    arrays["label"] = shares
    n_margin = margin_samples(recipe, float(arrays["fs"]))
    if n_margin == 0 or recipe.data.trim == "shortest":
        return arrays
    first = n_margin if rng is None else int(rng.integers(0, 2 * n_margin + 1))
    n_samples = arrays["x"].shape[-1] - 2 * n_margin
    pick = float(arrays["y_idx"]) - first
    had = bool(arrays["has_pick"] == 1)
    inside = had and 0 <= pick <= n_samples - 1
    return {
        **arrays,
        "x": np.ascontiguousarray(arrays["x"][:, first : first + n_samples]),
        "mask": np.ascontiguousarray(arrays["mask"][first : first + n_samples]),
        # An onset that the crop left out is there still, and its event in the window: nobody knows, not noise
        "has_pick": np.asarray(-1 if had and not inside else arrays["has_pick"], np.int8),
        "y_idx": np.asarray(pick if inside else -1, np.float32),
    }
