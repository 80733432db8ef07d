"""`seisloom view gather`, `view events` and `view augment`: pictures of records, and of what training does to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seisloom.cli import screen
from seisloom.cli.recipes import Changes
from seisloom.cli.values import picture_for, writing
from seisloom.errors import DataError, MissingDataError, RecipeError

if TYPE_CHECKING:
    from seisloom.augment.augmentation import Augmentation
    from seisloom.augment.batch import Batch
    from seisloom.recipe import Recipe

app = typer.Typer(no_args_is_help=True, help="Draw records and volumes.")

EPOCHS_TRIED = 8
"""Epochs in which an augmentation is looked for that changes the sample."""


@app.callback()
def group() -> None:
    """Draw records and volumes."""


@app.command()
def gather(
    source: Annotated[Path, typer.Argument(help="SEG-Y, SEG-2 or SU file.")],
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    picks: Annotated[Path | None, typer.Option(help="Table of picks that `apply` wrote, .csv or .parquet.")] = None,
    shot: Annotated[int | None, typer.Option(help="Draw this shot only.")] = None,
    max_s: Annotated[float | None, typer.Option(help="Draw up to this time, in s after the shot.")] = None,
) -> None:
    """Draw the traces of a file as they are, with picks if there are any."""
    import numpy as np

    from seisloom.figures.gathers import draw_gather
    from seisloom.io.gather import read_gather
    from seisloom.io.picks import read_picks

    out = picture_for(out)
    record = read_gather(source)
    here = np.ones(record.n_traces, dtype=bool) if shot is None else np.asarray(record.shot_id) == shot
    if not here.any():
        raise MissingDataError(f"{source}: no shot {shot}; there are {np.unique(record.shot_id).tolist()[:10]}")
    columns: dict[str, Any] = {}  # Any: keyword arguments of the drawing
    if picks is not None:
        table = read_picks(picks).set_index("trace").reindex(np.flatnonzero(here))
        if table["time_s"].isna().all():
            raise DataError(f"{picks}: has no picks of the traces of {source}")
        columns = {name: table[name].to_numpy(float) for name in ("time_s", "lower_s", "upper_s")}
        columns["kept"] = (table["status"] == "picked").to_numpy()
    start_s = float(record.delay_s[here].min())
    figure = draw_gather(
        record.take(np.flatnonzero(here)), fs_hz=record.fs_hz, t0_s=record.delay_s[here], **columns,
        position=np.flatnonzero(here).astype(float),
        range_s=None if max_s is None else (start_s, max_s), title=f"{source.name}, {here.sum()} traces",
    )  # fmt: skip
    with writing(out):
        figure.savefig(out, dpi=110)
    screen.say(f"drew {out}")


@app.command()
def events(
    source: Annotated[
        Path | None, typer.Argument(help="Catalogue or its folder; without one, synthetic events (or key=value).")
    ] = None,
    changes: Changes = None,
    *,
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    spectra: Annotated[bool, typer.Option("--spectra", help="Draw spectra in place of waveforms.")] = False,
) -> None:
    """Draw what records of each class have in common: median and bands about the onset, class by component.

    Keys of the recipe say how they are cut, such as data.channels=[Z] data.pick_s=50 data.window_s=40.
    """
    import json

    from seisloom.recipe import read_recipe
    from seisloom.tasks.classification.recipe import ClassificationRecipe
    from seisloom.tasks.classification.records import named_records
    from seisloom.tasks.classification.view import MOST_IN_A_FAN, fan_chart

    out = picture_for(out)
    if source is not None and "=" in source.name and not source.exists():
        changes, source = [str(source), *(changes or [])], None
    paths = [] if source is None else [str(source)]
    # The data of the packaged recipe are of one catalogue: its classes, components and onsets
    recipe = read_recipe("classification", [f"data={json.dumps({'paths': paths})}", *(changes or [])])
    assert isinstance(recipe, ClassificationRecipe)
    records, names = named_records(recipe)
    shown = [name or "no class" for name in names]
    with writing(out):
        fan_chart(recipe, records, shown, spectra=spectra).savefig(out, dpi=110)
    counts = ", ".join(f"{name} {shown.count(name)}" for name in sorted(set(shown)))
    screen.say(f"drew {out}: records of class {counts}; at most {MOST_IN_A_FAN} of each")


@app.command()
def augment(
    recipe: Annotated[Path, typer.Argument(help="Recipe, or the name of a packaged one.")],
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    changes: Changes = None,
    item: Annotated[int, typer.Option(help="Which of the recipe's samples is drawn, from 0.")] = 0,
    epoch: Annotated[int, typer.Option(help="Epoch whose draws are shown.")] = 0,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Draw synthetic samples, not the recipe's.")] = False,
) -> None:
    """Draw what each entry of a recipe's `augment:` does to a sample: before and after, with labels.

    Each entry acts on the sample by itself and surely, whatever its `p`; where it draws that nothing changes, such as a
    flip of sign that does not come, the next epochs are tried. The sample is one of the recipe's data; where
    the recipe names none, or with --synthetic, a made-up one of the kind that the entry is for.
    """
    import torch

    from seisloom.augment.augmentation import augment as augmented
    from seisloom.augment.augmentation import leaves
    from seisloom.augment.examples import bank_like
    from seisloom.figures.augmentation import Change, draw_augmentations
    from seisloom.recipe import read_recipe

    out = picture_for(out)
    found = read_recipe(recipe, changes or [])
    entries = list(leaves(found.augment))
    if not entries:
        raise RecipeError(f"{recipe}: augment: is empty, so there is nothing to draw. Add one: 'augment=[time_shift]'")
    batch = None if synthetic else _some_items(found, item)
    rows = []
    for place, entry in entries:
        given = _made_up(entry) if batch is None else batch
        sure = entry.model_copy(update={"p": 1.0})
        for at in range(epoch, epoch + EPOCHS_TRIED):
            one = replace(given.rows([0]), epoch=at)
            changed, drawn = augmented(one, [sure], seed=found.seed, bank=bank_like(given))
            if not torch.equal(changed.arrays["x"], one.arrays["x"]):
                break
        else:
            one = replace(one, epoch=epoch)
            changed, drawn = augmented(one, [sure], seed=found.seed, bank=bank_like(given))
        before, after = ({name: x[0].numpy() for name, x in some.arrays.items()} for some in (one, changed))
        axes = {field.name: field.axes for field in given.schema.fields}
        rows.append(Change(f"{place} {entry.name}", _in_words(drawn[0]), axes, before, after))
    title = "a synthetic sample of each kind" if batch is None else batch.keys[0]
    with writing(out):
        draw_augmentations(rows, title=title).savefig(out, dpi=90)
    screen.say(f"drew {len(rows)} augmentations of {title} in {out}")


def _made_up(entry: Augmentation) -> Batch:
    """Return a synthetic batch of the kind that an entry is for; a gather has more traces than the smallest one."""
    from seisloom.augment.examples import MAKERS

    return MAKERS[entry.kind](**({"n_trace": 24} if entry.kind == "gather" else {}))


def _some_items(recipe: Recipe, item: int) -> Batch | None:
    """Return an item of the recipe's data and some of its size, which partners come from; None without data."""
    from seisloom import plugins
    from seisloom.training.loader import Items, LiveSource

    if getattr(recipe.data, "root", "") is None and not hasattr(recipe.data, "synth"):
        return None
    task = plugins.load("tasks", recipe.task)
    source = LiveSource(task, recipe)
    items = task.group(recipe, source.refs, True)
    if not 0 <= item < len(items):
        raise DataError(f"--item {item}: the recipe's data have {len(items)} samples, from 0")
    alike = [k for k in range(len(items)) if k != item and len(items[k]) == len(items[item])]
    return Items(task, recipe, source, items, training=True)[[(0, k) for k in (item, *alike[:3])]]


def _in_words(drawn: Mapping[str, Any]) -> str:  # Any: numbers or arrays, as drawn
    """Return numbers that were drawn, short; arrays and keys of noise say nothing to a reader."""
    words = []
    for name, value in drawn.items():
        short = name.split(".")[-1]
        if getattr(value, "ndim", 0) == 0 and not short.endswith("_key"):
            words.append(f"{short} {float(value):.3g}")
    return ", ".join(words[:4])
