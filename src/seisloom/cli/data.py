"""`seisloom synth`, `manifest` and `shards`: from field files, or from physics, to samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seisloom.cli import dispersion_synth, noise, screen
from seisloom.cli.given import takes_given
from seisloom.cli.values import picture_for, writing
from seisloom.errors import MissingDataError, OutputError, RecipeError

if TYPE_CHECKING:
    from seisloom.recipe import Recipe

synth = typer.Typer(no_args_is_help=True, help="Make data with known truth.")
manifest = typer.Typer(no_args_is_help=True, help="Match traces, shots and picks of a survey.")
shards = typer.Typer(no_args_is_help=True, help="Cut samples once, train many times.")

PACKAGED = "picking"
"""The recipe where none is named."""
LOOSE = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Lets a command take `--key value` for any key of a recipe."""
Workers = Annotated[int | None, typer.Option(help="Processes; by default one a core.")]
Cluster = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, e.g. tcp://10.0.0.1:8786.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Changes = Annotated[list[str] | None, typer.Argument(help="Changes: key=value, such as shards.win_mode=pick.")]


@synth.command()
def survey(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    changes: Annotated[list[str] | None, typer.Argument(help="key=value, such as kind=obs n_shots=200 seed=1.")] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    force: Force = False,
) -> None:
    """Write a synthetic refraction or OBS survey with known onsets, in the layout that `manifest build` reads."""
    from seisloom.compute import executor
    from seisloom.physics.survey import SurveyConfig
    from seisloom.recipe import config_from
    from seisloom.tasks.picking.survey.synth import write_survey

    config = config_from(SurveyConfig, changes or [], where="survey")
    with writing(out), executor(cluster, workers) as pool:
        summary = write_survey(config, out, executor=pool, force=force)
    screen.say(f"wrote {out}: " + ", ".join(f"{key} {value}" for key, value in summary.items()))
    screen.say(f"next: seisloom manifest build {out}")


@synth.command()
def volumes(
    out: Annotated[Path, typer.Option(help="Folder for a set; or one volume, such as big.zarr, big.sgy, big.bin.")],
    changes: Annotated[
        list[str] | None, typer.Argument(help="key=value, such as n_train=200 shape=[128,128,128] seed=1.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="A survey that the volumes are to look like; see `seisloom synth priors`.")
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    force: Force = False,
) -> None:
    """Write seismic volumes with known faults, dips, times and clean images; goes on where a former run stopped."""
    from seisloom.compute import executor
    from seisloom.recipe import config_from
    from seisloom.tasks.interpretation.synth.config import SynthVolumes
    from seisloom.tasks.interpretation.synth.dataset import write_dataset
    from seisloom.tasks.interpretation.synth.volume import is_one_volume, write_volume

    measured = [] if like is None else [f"priors.{change}" for change in _ranges_like(like)]
    config = config_from(SynthVolumes, [*measured, *(changes or [])], where="volumes")
    one = is_one_volume(out)
    with writing(out), executor(cluster, workers) as pool:
        summary = (write_volume if one else write_dataset)(config, out, pool=pool, force=force)
    if one:
        for file in summary["files"]:
            screen.say(f"wrote {file}")
        screen.say(f"next: seisloom view section {summary['files'][0]} --inline 0 --out section.png")
        return
    screen.say(f"wrote {out}: " + ", ".join(f"{key} {value}" for key, value in summary.items() if key != "out"))
    crop = f" data.crop=[1,{config.shape[1]},{config.shape[2]}]" if config.shape[0] > 1 else ""  # it sees sections
    recipe = "interpretation_refinement" if config.refinement else "interpretation"
    screen.say(f"next: seisloom train {recipe} data.root={out}{crop}")


synth.command()(dispersion_synth.dispersion)
synth.command()(noise.noise)


@synth.command()
@takes_given
def priors(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    survey: Annotated[Path, typer.Argument(help="A volume in any format, of which a few sections are looked at.")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(help="Changes of the recipe, which win: key=value, such as data.synth.priors.n_faults=[4,20]."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Recipe that gets the priors: a file, or a packaged one.")] = (
        "interpretation"
    ),
    out: Annotated[Path | None, typer.Option(help="Recipe to write; without, ranges are only shown.")] = None,
    force: Force = False,
) -> None:
    """Show what synthetic volumes are to be drawn from to look like a survey, or write a recipe that trains on such.

    Frequency, slopes, folds, noise and dips on the grid are measured on the images alone; the recipe has the ranges
    themselves, so that training does not need the survey.
    """
    from seisloom.recipe import read_recipe

    if out is not None and out.exists() and not force:
        raise OutputError(f"{out}: is there already. Choose another --out, or replace it with --force")
    measured = [f"data.synth.priors.{change}" for change in _ranges_like(survey, given)]
    if out is None:
        return
    text = read_recipe(recipe, [*measured, *(changes or [])]).to_yaml()
    with writing(out):
        out.write_text(f"# Synthetic volumes like {survey.name}: data.synth.priors\n{text}", encoding="utf-8")
    screen.say(f"wrote {out}")
    screen.say(f"next: seisloom train {out} --out runs/{survey.stem}")


def _ranges_like(survey: Path, given: Any = None) -> list[str]:  # Any: a Given, or None
    """Return ranges of priors like a survey as key=value, and show them."""
    from seisloom.convert import open_volume
    from seisloom.tasks.interpretation.synth.survey import look_at_survey, ranges_of, spacing_of

    volume = open_volume(survey, given)
    looks = look_at_survey(volume)
    ranges = ranges_of(looks, spacing_of(volume))
    rows = [{"prior": name, "from": low, "to": high} for name, (low, high) in ranges.items()]
    screen.table(rows, title=f"Like {survey.name}, {len(looks)} sections")
    return [f"{name}=[{low!r},{high!r}]" for name, (low, high) in ranges.items()]


@manifest.command("build")
def build(
    root: Annotated[Path, typer.Argument(help="Folder with dataset.json, geometries/ and the arrivals.")],
    geom: Annotated[
        list[str] | None, typer.Option("--geom", help="Geometries; A,B or repeated. All by default.")
    ] = None,
    arrivals: Annotated[
        Path | None, typer.Option(help="tlArrival.mat or CSV of picks; found in ROOT by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the manifests; ROOT itself by default.")] = None,
    shot_byte: Annotated[
        int | None, typer.Option(help="Header byte of the shot number; found by itself by default.")
    ] = None,
    allow_index_alignment: Annotated[
        bool, typer.Option(help="Match by order where no header explains the shot list and the counts differ.")
    ] = False,
    workers: Workers = None,
    cluster: Cluster = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Match every trace with its shot and its pick; reads headers only."""
    from seisloom.compute import executor
    from seisloom.tasks.picking.survey.build import build_manifest

    with writing(root if out is None else out), executor(cluster, workers) as pool:
        report = build_manifest(
            root, geometries=split_names(geom), arrivals=arrivals, shot_byte=shot_byte,
            allow_index_alignment=allow_index_alignment, out=out, executor=pool,
        )  # fmt: skip
    if json:
        screen.say_json(report.to_json())
        return
    screen.table(report.score_rows(), title="Header words against the shot list")
    screen.table(report.rows(), title="Manifests")
    for line in report.lines():
        screen.say(line)


@manifest.command("import")
def import_gathers(
    files: Annotated[list[Path], typer.Argument(help="Shot gathers: SEG-2, SU or SEG-Y, one shot a file.")],
    picks: Annotated[Path, typer.Option(help=".sgt with the picks of the line.")],
    geom: Annotated[str, typer.Option("--geom", help="Name of the line.")],
    out: Annotated[Path, typer.Option(help="The survey's folder; lines are added to it.")],
) -> None:
    """Make a survey of shot gathers and their picks, in the layout that `manifest build` reads."""
    from seisloom.tasks.picking.survey.import_line import import_line

    with writing(out):
        counts = import_line(files, picks, out, geometry=geom)
    screen.say(f"{geom}: " + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items()))
    screen.say(f"next: seisloom manifest build {out}")


@manifest.command("check")
def check_manifest(
    files: Annotated[
        list[Path],
        typer.Argument(help="picks_manifest.csv, or the survey's folder; or labels.jsonl of records, all of a split."),
    ],
) -> None:
    """Say whether a manifest is whole and fits its files; of records, also whether parts of a split share a medium."""
    from seisloom.tasks.picking.survey.manifest import check_manifest

    records = [file for file in files if file.suffix == dispersion_synth.ENDING]
    for file in files:
        if file not in records:
            screen.say(check_manifest(file))
    if records:
        dispersion_synth.check_manifests(records)


@shards.command("write", context_settings=LOOSE)
def write(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="Recipe, by path or packaged name; or the survey's folder, or a first key=value.")
    ] = PACKAGED,
    changes: Changes = None,
    data: Annotated[str | None, typer.Option("--data", help="The survey's folder; beats the recipe's.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the shards.")] = Path("shards"),
    geom: Annotated[list[str] | None, typer.Option("--geom", help="Geometries; A,B or repeated.")] = None,
    plots_pos: Annotated[int | None, typer.Option(help="Pictures of picked samples a geometry.")] = None,
    plots_neg: Annotated[int | None, typer.Option(help="Pictures of noise samples a geometry.")] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    force: Force = False,
) -> None:
    """Cut, label and store the samples of a survey; goes on where a former run stopped."""
    from seisloom.compute import executor
    from seisloom.run.write import write_shards

    plots = {"shards.plots_pos": plots_pos, "shards.plots_neg": plots_neg}
    options = [f"{key}={value}" for key, value in plots.items() if value is not None]
    found = open_recipe(recipe, [*(changes or []), *context.args, *options], data=data, geom=geom)
    with writing(out), executor(cluster, workers) as pool:
        summaries = write_shards(found, out, pool=pool, force=force)
    rows: dict[str, dict[str, Any]] = {}
    left_out: dict[str, int] = {}
    for one in summaries:
        row = rows.setdefault(one.path.parent.name, {"geometry": one.path.parent.name, "shards": 0, "samples": 0})
        row["shards"] += 1
        row["samples"] += one.n_samples
        row["shards kept"] = row.get("shards kept", 0) + int(one.existed)
        for name, count in one.counts.items():
            row[name] = row.get(name, 0) + count
        for reason, count in one.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count
    screen.table(list(rows.values()), title=f"Shards in {out}")
    for reason, count in sorted(left_out.items()):
        screen.say(f"left out: {count} x {reason}")
    from seisloom.tasks.picking.recipe import PickingRecipe

    if isinstance(found, PickingRecipe) and (found.shards.plots_pos or found.shards.plots_neg):
        from seisloom.tasks.picking.view import draw_shards

        with writing(out):
            pictures = draw_shards(found, out)
        for picture in pictures:
            screen.say(f"drew {picture}")
        if found.shards.plots_neg and not any(picture.stem == "negative" for picture in pictures):
            screen.say("no picture of noise: no sample is known to have no onset")


@shards.command("check")
def check(folder: Annotated[Path, typer.Argument(help="Folder of shards.")]) -> None:
    """Read every byte; say which shard is damaged, and in which sample."""
    from seisloom.errors import DataError
    from seisloom.io.shards import check_shards

    found = list(check_shards(folder))
    bad = [(path, what) for path, what in found if what]
    for path, what in bad:
        screen.say(f"{path}: {what}")
    if bad:
        raise DataError(
            f"{folder}: {len(bad)} of {len(found)} shards are damaged or missing. Delete what is damaged and run the "
            "same `seisloom shards write` again; whole shards are kept"
        )
    screen.say(f"{folder}: all {len(found)} shards are whole")


@shards.command("show")
def show(
    folder: Annotated[Path, typer.Argument(help="Folder of shards.")],
    n: Annotated[int, typer.Option("-n", help="Samples to draw.")] = 12,
    out: Annotated[Path, typer.Option(help="Picture to write.")] = Path("shards.png"),
) -> None:
    """Draw some samples with their labels."""
    from seisloom.tasks.picking.view import draw_samples

    with writing(picture_for(out)):
        draw_samples(folder, n=n, out=out)
    screen.say(f"drew {out}")


def split_names(names: list[str] | None) -> list[str] | None:
    """Return names that were given as A,B or repeated."""
    return [one for name in names for one in name.replace(",", " ").split()] if names else None


def open_recipe(
    recipe: str | None,
    changes: list[str],
    *,
    data: str | None = None,
    geom: list[str] | None = None,
    written_by: Path | None = None,
) -> Recipe:
    """Return a recipe with the command's options.

    A first argument that is a folder is the survey's, one that is a change begins the changes; any other names the
    recipe. Where none is named, it is the one that the shards were written by, of all their lines, since they may have
    been written one by one; else the packaged one. Words behind `--geom A` are further geometries.

    Raises:
        MissingDataError: if the survey that the shards were cut from is no longer there.
    """
    from seisloom.recipe import expand, packaged_recipes, read_recipe, read_values

    # An unknown option took the recipe's place: it is one of its keys
    if recipe is not None and ("=" in recipe or recipe.startswith("--")):
        changes, recipe = [recipe, *changes], None
    changes = as_changes(changes)
    if recipe is not None and data is None and Path(recipe).is_dir() and recipe not in packaged_recipes():
        data, recipe = recipe, None
    if geom:
        geom = [*geom, *(word for word in changes if "=" not in word)]
        changes = [word for word in changes if "=" in word]
    by_shards = recipe is None and written_by is not None
    if by_shards:
        screen.say(f"recipe: {written_by}")
        has_lines = "geometries" in (read_values(str(written_by)).get("data") or {})
        recipe, changes = str(written_by), [*(["data.geometries=[]"] if has_lines else []), *changes]
    if data is not None:
        changes = [*changes, f"data.root={Path(data).resolve() if not data.startswith('$') else data}"]
    if geom:
        changes = [*changes, f"data.geometries={split_names(geom)}"]
    found = read_recipe(recipe or PACKAGED, changes)
    root = getattr(found.data, "root", None)
    if by_shards and root and not expand(root).is_dir():
        raise MissingDataError(
            f"{root}: the survey that these shards were cut from is not there, and whole records of it calibrate and "
            "score. Say where it is: --data ROOT"
        )
    return found


def as_changes(words: list[str]) -> list[str]:
    """Return `--key value` and `--key=value` as key=value, and what is one already as it is.

    >>> as_changes(["--batch-size", "16", "train.epochs=3"])
    ['batch_size=16', 'train.epochs=3']
    """
    changes: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            key = word.removeprefix("--")
            if "=" not in key:
                if not rest or rest[0].startswith("--"):
                    raise RecipeError(f"{word}: needs a value; write {word} VALUE or {key.replace('-', '_')}=VALUE")
                key = f"{key}={rest.pop(0)}"
            name, _, value = key.partition("=")
            changes.append(f"{name.replace('-', '_')}={value}")
        else:
            changes.append(word)
    return changes
