"""What made a record, in two minutes: train a small network and two baselines, calibrate, and score unseen events."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.bundle import Opened, open_predictor
from seisloom.demos.folder import clear
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.evaluate import evaluate
from seisloom.run.train import train
from seisloom.sample import Ref
from seisloom.split import split
from seisloom.task import Task, task_of
from seisloom.tasks.classification.recipe import NOISE, ClassificationRecipe

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger("seisloom")
RECORDS = Path("classification") / "pnw_unlabelled"
"""Of the Pacific Northwest Seismic Network; chosen by Kharita et al. (2025), arXiv 2510.23795, whose repository
Akashkharita/PNW_Seismic_Event_Classification is MIT."""
MODELS = {
    "bundle": ("model.name=cnn_spectrogram", "represent=[{name: stft}]"),
    "rocket": ("model.name=rocket", "train.epochs=1"),
    "random_forest": ("model.name=random_forest", "train.epochs=1"),
}
"""The network by the folder of its bundle, and the baselines by theirs."""
SYNTHETIC = ("data.paths=[]", "data.classes=[earthquake,explosion,noise]", "data.channels=[Z,N,E]")
N_EVENTS = 240
"""Synthetic events: what is trained on in two minutes."""


@dataclass(frozen=True, slots=True)
class ClassDemo:
    """What the demo made."""

    report: dict[str, Any]  # Any: JSON values
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    recipe: str
    """Name of the packaged recipe that it began from."""


def run_class_demo(out: Path, *, data: Path | None, synthetic: bool = False, epochs: int = 20) -> ClassDemo:
    """Train a network of spectrograms, a rocket and a random forest, and score them on events that none has seen.

    Args:
        out: folder for bundles, scores and pictures; what a former demo left there is replaced.
        data: folder with `classification/pnw_unlabelled`, for noise against event; None, or one without it, makes
            earthquakes, explosions and noise.
        synthetic: make them also where there are real records.
        epochs: of the network.
    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
    """
    clear(out)
    folder = None if data is None or synthetic else data / RECORDS
    is_real = folder is not None and folder.is_dir()
    name = "noise_or_event" if is_real else "classification"
    source = [f"data.paths=[{folder}]"] if is_real else [*SYNTHETIC, f"data.synth.n_events={N_EVENTS}"]
    usual = ["train.batch_size=32", f"train.epochs={epochs}", f"train.patience={epochs}", "train.loggers=[csv]"]
    opened: list[Opened] = []
    for folder_name, changes in MODELS.items():
        recipe = read_recipe(name, [*source, *usual, *changes])
        assert isinstance(recipe, ClassificationRecipe)
        task = task_of(recipe)
        if not opened:
            recipe = task.complete(recipe)
            for line in described(task, recipe):
                logger.info("%s", line)
        train(recipe, out / folder_name)
        opened.append(replace(open_predictor(out / folder_name), name=recipe.model.name))
    parts = split(task.plan(opened[0].recipe), seed=opened[0].recipe.seed, config=opened[0].recipe.split)
    report, files = evaluate(opened, list(task.records(opened[0].recipe, parts["test"])), out)
    return ClassDemo(report, files, tuple(_notes(parts, is_real=is_real)), name)


def described(task: Task[Any], recipe: ClassificationRecipe) -> Iterator[str]:
    """Yield what is trained on and by what: events a file, classes, the shape of what the network sees, its layers.

    Args:
        task: the room.
        recipe: complete.
    """
    refs = task.plan(recipe)
    by_set = defaultdict(list)
    for ref in refs:
        by_set[ref.groups["set"]].append(ref)
    for name, some in by_set.items():
        yield f"{name}: {len({ref.groups['event'] for ref in some})} events, {len(some)} windows"
    for name in recipe.data.classes:
        some = [ref for ref in refs if ref.groups["class"] == name]
        yield f"class {name}: {len(some)} windows of {len({ref.groups['event'] for ref in some})} events"
    yield from _summary(task, recipe, refs)


def _summary(task: Task[Any], recipe: Recipe, refs: Sequence[Ref]) -> Iterator[str]:
    """Yield the shapes of an item, as it is cut and as the network sees it, and the sizes of the network's parts."""
    import torch

    item = task.join(recipe, [task.read(recipe, refs[0])], None)
    batch: dict[str, Tensor] = {name: torch.from_numpy(np.asarray(one)[None]) for name, one in item.items()}
    shape = f"({', '.join(map(str, batch['x'].shape[1:]))})"
    for entry in recipe.represent:
        batch = dict(entry.build()(batch))
    seen = f"({', '.join(map(str, batch['x'].shape[1:]))})"
    yield f"a window is {shape} (channel, time)" + ("" if seen == shape else f", the network sees {seen}")
    sizes: dict[str, int] = defaultdict(int)
    for name, one in recipe.network(task.item).named_parameters():
        steps = [step for step in name.split(".") if step != "model"]  # what it is wrapped in
        sizes[steps[0]] += one.numel()
    parts = ", ".join(f"{name} {n}" for name, n in sizes.items())
    yield f"{recipe.model.name}: {sum(sizes.values())} parameters: {parts}"


def _notes(parts: dict[str, list[Ref]], *, is_real: bool) -> Iterator[str]:
    """Yield what was trained on what, and what the numbers do not say."""
    n_events = {name: len({ref.groups["event"] for ref in refs}) for name, refs in parts.items()}
    if is_real:
        yield (
            "real records of the Pacific Northwest: noise is what each holds until 40 s after its first sample, event "
            "is what lies around its P wave; what made the events nobody says"
        )
    else:
        kinds = sorted({ref.groups["class"] for refs in parts.values() for ref in refs} - {NOISE})
        yield (
            f"the records are synthetic: {', '.join(kinds)} and noise of a half-space. They show that the flow works; "
            "what is trained on them is for no network of the earth"
        )
    yield (
        f"trained on {len(parts['train'])} windows of {n_events['train']} events, the epoch chosen on "
        f"{n_events['valid']} events, calibrated on {n_events['calibrate']}, scored on {len(parts['test'])} windows of "
        f"{n_events['test']}; no event is in two parts, stations are in all of them"
    )
