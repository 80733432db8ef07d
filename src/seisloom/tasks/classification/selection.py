"""Which records of the catalogues are used, and the class of each."""

from __future__ import annotations

import difflib
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.entry import Columns, Entry, counted
from seisloom.io.waveforms.sources import read_catalogue
from seisloom.io.waveforms.times import seconds_between
from seisloom.io.waveforms.waveform import component_for
from seisloom.recipe import expand
from seisloom.tasks.classification.recipe import EVENT, NOISE, ClassificationData
from seisloom.tasks.classification.synthetic import NAME, is_synthetic, synthetic_entries

logger = logging.getLogger("seisloom")
LATE_S, FEW = 1.0, 0.2
"""Records that begin so much later than others of their event are said, where fewer than this share do."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An entry with the name of its set and its label; the class is decided when all labels are known."""

    set_name: str
    entry: Entry
    label: str
    """Empty where nobody knows."""
    catalogue: int = 0
    """Number of its catalogue in `data.paths`."""


def entries_of(data: ClassificationData, *, seed: int = 0, need_label: bool = True) -> list[Chosen]:
    """Return the records of all catalogues that have the components, in the order of the catalogues.

    Args:
        data: names the catalogues; where it names none, events are synthetic.
        seed: of synthetic events.
        need_label: refuse a catalogue without the column of the class.
    Raises:
        DataError: if none is left, a record is there twice, or the sampling rates do not fit the recipe.
    """
    if is_synthetic(data):
        made = synthetic_entries(data, seed)
        if data.label is None:  # nobody says what made an event; that there is none is known
            made = [one if one.label == NOISE else replace(one, label="") for one in made]
        found = [Chosen(NAME, one, _label(data, one)) for one in made]
        found = _with_components(data, found)
        _check_rates(data, [one.entry for one in found])
        return found
    columns = Columns(data.label or "", data.event, data.station, data.time, data.pick)
    found = []
    names: Counter[str] = Counter()
    for number, path in enumerate(data.paths):
        catalogue = read_catalogue(expand(path), columns, need_label=need_label and data.label is not None)
        for note in catalogue.notes:
            logger.warning("%s", note)
        names[catalogue.name] += 1
        n_alike = names[catalogue.name]
        name = catalogue.name if n_alike == 1 else f"{catalogue.name}-{n_alike}"
        found += [Chosen(name, entry, _label(data, entry), number) for entry in catalogue.entries]
    found = _with_components(data, found)
    _check_rates(data, [one.entry for one in found])
    return found


def _label(data: ClassificationData, entry: Entry) -> str:
    return entry.label or (EVENT if data.has_parts else "")


def _with_components(data: ClassificationData, found: Sequence[Chosen]) -> list[Chosen]:
    """Return the records that have all components; those that do not say what they have are kept."""
    if data.missing == "zero":
        return list(found)
    kept: list[Chosen] = []
    lacking: list[Chosen] = []
    there: Counter[str] = Counter()
    for one in found:
        has = one.entry.channels
        there[",".join(has)] += 1
        complete = not has or all(component_for(channel, has) is not None for channel in data.channels)
        (kept if complete else lacking).append(one)
    if not kept:
        most = there.most_common(1)[0][0]
        listed = ", ".join(f"{n} with {names}" for names, n in there.most_common(3))
        raise DataError(
            f"data.channels: no record has all of {', '.join(data.channels)}; there are {listed}. Set "
            f"data.channels=[{most}], or data.missing=zero"
        )
    if lacking:
        logger.warning(
            "%s", counted(f"records lack one of {', '.join(data.channels)} and are left out (data.missing=zero keeps "
                          "them)", [one.entry.key for one in lacking])
        )  # fmt: skip
    return kept


def _check_rates(data: ClassificationData, entries: Iterable[Entry]) -> None:
    """Refuse or report sampling rates that differ from the one that is asked for."""
    counts = Counter(round(entry.fs_hz, 4) for entry in entries if entry.fs_hz > 0)
    if not counts:
        return
    said = ", ".join(f"{n} of {rate:g} Hz" for rate, n in sorted(counts.items()))
    target = data.sampling_rate_hz
    if target is None and len(counts) > 1:
        raise DataError(
            f"records are of several sampling rates: {said}. Bring them to one: data.sampling_rate_hz={min(counts):g} "
            "(a higher one leaves the upper band of some empty)"
        )
    others = {rate: n for rate, n in counts.items() if target is not None and rate != target}
    if others and data.strict:
        raise DataError(f"records are not all of {target:g} Hz: {said}. Leave them out, or set data.strict=false")
    if others and target is not None:
        slower = sum(n for rate, n in others.items() if rate < target)
        hollow = f"; {slower} of them hold nothing above {min(others) / 2:g} Hz or more" if slower else ""
        logger.info("%d records are brought to %g Hz (%s)%s", sum(others.values()), target, said, hollow)


def classes_from(data: ClassificationData, labels: Counter[str]) -> tuple[str, ...]:
    """Return the classes in their order: those of the recipe, or all labels by the alphabet.

    Raises:
        DataError: if there is only one, or a class of the recipe has no record.
    """
    known = {label: n for label, n in labels.items() if label}
    listed = ", ".join(f"{label} ({n})" for label, n in sorted(known.items())) or "none"
    if not data.classes:
        if len(known) < 2:
            raise DataError(
                f"{len(known)} class in the data, {listed}: there is nothing to tell apart. Add records of another, "
                "name another column (data.label), or cut noise too (data.noise_before_s)"
            )
        return tuple(sorted(known))
    for name, some in data.classes.items():
        if not any(label in known for label in some):
            near = difflib.get_close_matches(some[0] if some else name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(f"data.classes: no record of class {name!r} ({', '.join(some)}); labels are {listed}{hint}")
    unused = sorted({label for some in data.classes.values() for label in some} - set(known))
    if unused:
        logger.warning("data.classes: no record has the label %s; labels are %s", ", ".join(unused), listed)
    return tuple(data.classes)


def class_of(data: ClassificationData, label: str) -> str | None:
    """Return the class of a label; None where nobody knows, or it is in none of the recipe's."""
    if not data.classes:
        return label or None
    return next((name for name, labels in data.classes.items() if label in labels), None)


def report(data: ClassificationData, labels: Counter[str], counts: Mapping[str, int]) -> None:
    """Say how many records each class has, and what was left out."""
    left = {label or "no label": n for label, n in labels.items() if class_of(data, label) is None}
    if left:
        listed = ", ".join(f"{label} ({n})" for label, n in sorted(left.items()))
        logger.info("%d records are of no class and are left out: %s", sum(left.values()), listed)
    logger.info("classes: %s", ", ".join(f"{name} {n}" for name, n in counts.items()))


def check_picks(data: ClassificationData, chosen: Sequence[Chosen]) -> list[Chosen]:
    """Return the records that windows can be cut from, and say what is assumed of onsets.

    Raises:
        DataError: if windows of noise are asked for and no record has an onset behind them.
    """
    onsets = [onset_of(data, one.entry) for one in chosen]
    unknown = [one.entry.key for one, onset in zip(chosen, onsets, strict=True) if math.isnan(onset)]
    _warn_of_late_starts(data, [one.entry for one in chosen])
    if not data.has_parts:
        if unknown and data.trim == "pick":
            logger.warning(
                "%s", counted("records have no onset: their windows lie in their middle (data.pick or data.pick_s "
                              "tells where it is)", unknown)
            )  # fmt: skip
        return list(chosen)
    least_s = data.noise_before_s or 0.0
    kept = [one for one, onset in zip(chosen, onsets, strict=True) if onset >= least_s]
    early = [one.entry.key for one, onset in zip(chosen, onsets, strict=True) if onset < least_s]
    if not kept:
        key = "behind_s" if data.noise_before_s is None else "noise_before_s"
        raise DataError(
            f"data.{key}: of {len(chosen)} records {len(unknown)} have no onset and {len(early)} one before "
            f"{least_s:g} s. Say where it is: data.pick (a column) or data.pick_s"
        )
    for what, names in (("have no onset", unknown), (f"have theirs before {least_s:g} s", early)):
        if names:
            logger.warning("%s", counted(f"records {what} and are left out", names))
    return kept


def _warn_of_late_starts(data: ClassificationData, entries: Sequence[Entry]) -> None:
    """Say which records begin later than the others of their event, where one onset is taken for all.

    Records that are cut at their beginning are few; where most differ, they are cut around each station's own onset.
    """
    assumed = [one for one in entries if math.isnan(one.onset_s) and not np.isnat(one.start)]
    if data.pick_s is None or not assumed:
        return
    first: dict[str, np.datetime64] = {}
    for one in assumed:
        first[one.event] = min(first.get(one.event, one.start), one.start)
    late = [one.key for one in assumed if seconds_between(one.start, first[one.event]) > LATE_S]
    if 0 < len(late) < FEW * len(assumed):
        what = (
            f"records begin over {LATE_S:g} s later than others of their event; data.pick_s counts from their own start"
        )
        logger.warning("%s", counted(what, late))


def onset_of(data: ClassificationData, entry: Entry) -> float:
    """Return the onset in s after the first sample as the catalogue or the recipe says; NaN where neither does."""
    own = entry.onset_s
    return own if not math.isnan(own) or data.pick_s is None else data.pick_s
