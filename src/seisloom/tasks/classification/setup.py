"""What the room adds to `seisloom setup`: what a catalogue holds, and the representation that fits a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from seisloom import plugins
from seisloom.errors import SeisloomError
from seisloom.io.waveforms.entry import Catalogue, Columns
from seisloom.io.waveforms.sources import read_catalogue
from seisloom.recipe import Hint, Json, expand
from seisloom.tasks.classification.places import VARIABLE, names_no_catalogue

REPRESENTATION = {
    "cnn_spectrogram": "stft", "lstm": "fft", "lstm_attention": "fft", "cnn_waveform": None, "rocket": None,
    "random_forest": None, "svm": None, "logistic": None, "vote": None,
}  # fmt: skip
"""How each network of ours is to be shown a window; None leaves the waveform."""
TIMES, EPOCHS = 2, 30
"""Passes over the training part where a head is fitted at once, to each with other augmentations; epochs elsewhere."""
OF_A_CATALOGUE = ("data.label", "data.pick_s")
"""Keys that synthetic events have no use for."""
OF_GRADIENTS = ("train.lr", "train.init_from")
"""Keys that a network has no use for which learns from all items at once."""
ABOUT_EPOCHS = (
    "rocket, random_forest, svm, logistic and vote learn from all windows at once, from train.epochs augmented "
    f"copies of each, such as {TIMES}. The others learn by steps, in some {EPOCHS} epochs where there are some hundred "
    "windows."
)
MOST_LISTED = 8


def hint_for(key: str, values: Mapping[str, Json]) -> Hint | None:
    """Return what is said with a question, or None where it has nothing to decide."""
    data, model = _part(values, "data"), str(_part(values, "model").get("name"))
    is_made = names_no_catalogue(_paths(data))
    if key == "data.paths":
        return Hint(
            f"With nothing given, or {VARIABLE} not set, earthquakes, explosions and noise are made from seeds.",
            stand_in=(VARIABLE, "events are made from seeds, until it is"),
        )
    if key.startswith("data.synth."):
        return Hint() if is_made else None
    if key in OF_A_CATALOGUE and is_made:
        return None
    if key in OF_GRADIENTS and _is_closed_form(model):
        return None
    if key == "model.name":
        return Hint(ABOUT_EPOCHS)
    entries = () if is_made else tuple(one for some in _catalogues(data) for one in some.entries)
    if not entries:
        return Hint()
    if key == "data.classes":
        labels = Counter(one.label for one in entries if one.label)
        if data.get("noise_before_s") or not labels:
            return Hint(_listed("labels of the records are", labels))
        return Hint(_listed("labels of the records are", labels), (", ".join(sorted(labels)),))
    if key == "data.channels":
        return Hint(_listed("components of the records are", Counter(", ".join(one.channels) for one in entries)))
    if key == "data.sampling_rate_hz":
        return Hint(_listed("sampling rates in Hz are", Counter(f"{one.fs_hz:g}" for one in entries)))
    return Hint()


def with_representation(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values whose `represent` fits the network, and with it the epochs; those of other packages are let be."""
    made, model = dict(values), str(_part(values, "model").get("name"))
    if model not in REPRESENTATION:
        return made
    wanted, there = REPRESENTATION[model], [_name(one) for one in values.get("represent") or []]
    if wanted in there or (wanted is None and not there):
        return made
    made["represent"] = [] if wanted is None else [{"name": wanted}]
    train = dict(_part(values, "train"))
    epochs = train.get("epochs", EPOCHS)
    if isinstance(epochs, int) and (epochs > TIMES) == _is_closed_form(model):
        made["train"] = {**train, "epochs": TIMES if _is_closed_form(model) else EPOCHS}
    return made


def _is_closed_form(model: str) -> bool:
    return model in plugins.names("models") and bool(plugins.load("models", model).is_closed_form)


def _part(values: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = values.get(name)
    return part if isinstance(part, Mapping) else {"name": part} if isinstance(part, str) else {}


def _name(entry: Json) -> str:
    return str(entry.get("name") if isinstance(entry, Mapping) else entry)


def _paths(data: Mapping[str, Json]) -> tuple[str, ...]:
    paths = data.get("paths") or ()
    return (paths,) if isinstance(paths, str) else tuple(map(str, paths))


def _catalogues(data: Mapping[str, Json]) -> list[Catalogue]:
    """Return the catalogues that can be read here; what is wrong with others is said when they are trained on."""
    usual = Columns()
    columns = Columns(
        str(data.get("label", usual.label) or ""), str(data.get("event", usual.event)),
        str(data.get("station", usual.station)), str(data.get("time", usual.time)), data.get("pick"),
    )  # fmt: skip
    return [one for path in _paths(data) if (one := _read(path, columns)) is not None]


@lru_cache(maxsize=8)  # several questions are about one catalogue
def _read(path: str, columns: Columns) -> Catalogue | None:
    try:
        return read_catalogue(expand(path), columns, need_label=False)
    except SeisloomError:
        return None


def _listed(what: str, counts: Counter[Any]) -> str:  # Any: what is counted
    some = [f"{name or 'none'} ({n})" for name, n in counts.most_common(MOST_LISTED)]
    more = f" and {len(counts) - MOST_LISTED} more" if len(counts) > MOST_LISTED else ""
    return f"In the catalogue, {what} {', '.join(some)}{more}." if counts else ""
