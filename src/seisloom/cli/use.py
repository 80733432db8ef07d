"""`seisloom train`, `calibrate`, `evaluate`, `apply` and `models`: from samples to a product."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seisloom.cli import screen
from seisloom.cli.data import Cluster, as_changes, open_recipe
from seisloom.cli.given import takes_given
from seisloom.cli.panels import write_one_by_one
from seisloom.cli.values import folder_for, numbers, picture_for, quantile_lines, shot_numbers, writing
from seisloom.errors import RecipeError

if TYPE_CHECKING:
    from seisloom.bundle import Bundle, Opened
    from seisloom.recipe import Recipe

models = typer.Typer(no_args_is_help=True, help="What can be applied: shipped models and classical methods.")
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
OUT_WORD = "dir_output="
"""The folder of the bundle, said as if it were a key."""
KINDS = "best or last epoch (both before train.finish) or a path"
Checkpoint = Annotated[str | None, typer.Option(help=f"{KINDS}, in place of the bundle's weights.")]
Limits = Annotated[float | None, typer.Option(help="Abstain where the half-width q*sigma is larger, in s.")]
FalseAlarms = Annotated[float | None, typer.Option(help="Share of noise that may be picked; 1 picks noise too.")]
MinSnr = Annotated[float | None, typer.Option(help="Abstain where the signal-to-noise ratio is lower, in dB.")]


def train(
    context: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Recipe, by path or packaged name; by default that of the shards, or picking. Or the survey's folder, "
            "or a first key=value."
        ),
    ] = None,
    changes: Annotated[list[str] | None, typer.Argument(help="Changes: key=value, such as train.epochs=3.")] = None,
    shards: Annotated[Path | None, typer.Option("--shards", "--wds", help="Folder of shards to train from.")] = None,
    data: Annotated[str | None, typer.Option("--data", help="The survey's folder; beats the recipe's.")] = None,
    out: Annotated[Path, typer.Option("--out", "--dir_output", help="Folder of the bundle.")] = Path("runs/model"),
    ablate: Annotated[
        str | None, typer.Option(help="augment: train without each augmentation too, and print the table.")
    ] = None,
    leave_out: Annotated[
        str | None,
        typer.Option(help="station, region, year, ...: train without each in turn, and print how each is scored."),
    ] = None,
    at_most: Annotated[
        int | None, typer.Option(min=1, help="With --leave-out: so many of them, those with the most samples.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace another bundle.")] = False,
) -> None:
    """Train, calibrate on held-out groups, and evaluate on others. Any key may also be given as --key value."""
    from seisloom.run.ablate import ablate as run_ablate
    from seisloom.run.train import check
    from seisloom.run.train import train as run_train
    from seisloom.run.write import RECIPE

    written_by = shards / RECIPE if shards is not None and (shards / RECIPE).is_file() else None
    words = [*(changes or []), *context.args]
    if named := [word for word in words if word.startswith(OUT_WORD)]:
        out, words = Path(named[-1].removeprefix(OUT_WORD)), [word for word in words if word not in named]
    found = open_recipe(recipe, words, data=data, written_by=written_by)
    if found.train.check:
        with writing(out):
            report, files = check(found, out)
        show_report(report)
        for path in files:
            screen.say(f"wrote {path}")
        return
    if ablate not in (None, "augment"):
        raise RecipeError(f"--ablate {ablate}: what can be left out one by one is augment")
    if ablate and leave_out:
        raise RecipeError("--ablate and --leave-out: give one of them; each is a table of trainings of its own")
    if at_most is not None and not leave_out:
        raise RecipeError("--at-most belongs to --leave-out: say what is left out, such as --leave-out station")
    if leave_out:
        _leave_out(found, out, leave_out, at_most=at_most, shards=shards, force=force)
        return
    with writing(out):
        trained = (run_ablate if ablate else run_train)(found, out, shards=shards, force=force)
    from seisloom.training.ranks import is_first

    if not is_first():
        return
    show_report(trained.report)
    if trained.bundle.calibration is not None:
        screen.say(f"calibration: {trained.bundle.calibration.note}")
        show_quantiles(trained.bundle)
    for path in filter(Path.is_file, (out / "loss_plot.png", *trained.files)):
        screen.say(f"wrote {path}")
    screen.say(f"bundle: {out}")


def _leave_out(recipe: Recipe, out: Path, kind: str, *, at_most: int | None, shards: Path | None, force: bool) -> None:
    """Train without each group in turn, and print the table."""
    from seisloom.run.leave_out import leave_out as run_leave_out

    with writing(out):
        report, files = run_leave_out(recipe, out, kind, at_most=at_most, shards=shards, force=force)
    if not report:  # a process that only trained along
        return
    show_report(report)
    for path in files:
        screen.say(f"wrote {path}")
    screen.say(f"bundles: {out / 'leave_out'}")


def calibrate(
    bundle: Annotated[str, typer.Argument(help="Bundle, by folder or shipped name.")],
    source: Annotated[Path, typer.Argument(help="Survey with manifests, or one picks_manifest.csv.")],
    changes: Annotated[list[str] | None, typer.Argument(help="key=value of calibrate and apply.")] = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
    picks: Annotated[Path | None, typer.Option(help="Table of picks of a single record file.")] = None,
    shots: Annotated[str | None, typer.Option(help="Use these shots only, e.g. 3001,3004.")] = None,
    snr_bins: Annotated[int | None, typer.Option(help="Bins of signal-to-noise ratio, calibrated apart.")] = None,
    level: Annotated[float | None, typer.Option(help="Share of onsets inside: 0.5, 0.8, 0.9 or 0.95.")] = None,
    checkpoint: Checkpoint = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Calibrate anew on picks of your own; the bundle itself is not changed."""
    from seisloom.bundle import open_predictor
    from seisloom.run.calibrate import recalibrate

    shots = shot_numbers(shots)
    options = {"calibrate.snr_bins": snr_bins, "calibrate.level": level}
    changes = [*(changes or []), *(f"{key}={value}" for key, value in options.items() if value is not None)]
    opened = open_predictor(bundle)
    records, _ = opened.task.select(opened.task.open(opened.recipe, source, None), picks, shots)
    records = list(opened.task.with_questions(opened.recipe, records))
    with writing(out):
        made = recalibrate(bundle, records, out, changes=changes, checkpoint=checkpoint, force=force)
    show_quantiles(made)
    screen.say(f"wrote {out}")


def evaluate(
    methods: Annotated[
        list[str],
        typer.Argument(
            help="Bundles or methods, and last the survey with manifests; key=value of apply change the first bundle."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for metrics, figures and the page.")] = Path("evaluation"),
    picks: Annotated[Path | None, typer.Option(help="Table of picks of a single record file.")] = None,
    shots: Annotated[
        str | None, typer.Option(help="Score these shots only, e.g. 3001,3004; baselines learn from the others.")
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Leave out classical methods that are not named.")] = False,
    device: Device = "auto",
    checkpoint: Annotated[
        str | None, typer.Option(help=f"{KINDS}, in place of the weights of the first bundle.")
    ] = None,
) -> None:
    """Score methods on whole records with human picks, beside classical methods and baselines without waveforms."""
    from seisloom.bundle import names_beside, open_predictor
    from seisloom.run.calibrate import with_calibration
    from seisloom.run.evaluate import evaluate as run_evaluate

    changes = [one for one in methods if re.match(r"[\w.]+=", one) and not Path(one).exists()]
    methods = [one for one in methods if one not in changes]
    if len(methods) < 2:
        raise RecipeError("evaluate needs a method and data: seisloom evaluate METHOD... DATA")
    *names, data = methods
    shots, out = shot_numbers(shots), folder_for(out)
    first = open_predictor(names[0], device=device, checkpoint=checkpoint)
    first = first.with_changes(*changes) if changes else first
    if not alone:
        names += [name for name in names_beside(first.task.name, first.recipe) if name not in names]
    opened = [first, *(open_predictor(name, recipe=first.recipe, device=device) for name in names[1:])]
    records, others = first.task.select(first.task.open(first.recipe, Path(data), None), picks, shots)
    records = list(first.task.with_questions(first.recipe, records))
    if others:
        screen.say("classical methods: calibrated on the shots that are not scored; they have learnt from nothing")
        opened = [one if one.bundle is not None else with_calibration(one, others) for one in opened]
    with writing(out):
        report, files = run_evaluate(opened, records, out, references=others)
    show_report(report)
    for path in files:
        screen.say(f"wrote {path}")


@takes_given
def apply(
    context: typer.Context,
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    method: Annotated[str, typer.Argument(help="Bundle by folder or shipped name, or a classical method.")],
    source: Annotated[
        Path,
        typer.Argument(
            help="SEG-Y, SEG-2 or SU file, miniSEED or SAC, manifest CSV, or survey folder; a volume in any format."
        ),
    ],
    changes: Annotated[
        list[str] | None, typer.Argument(help="key=value of the recipe's apply, such as overlap=0.5.")
    ] = None,
    *,
    out: Annotated[
        Path,
        typer.Option(
            help="Product; the suffix chooses: .csv .parquet .sgt .segy for picks, .csv .parquet .xml for classes, "
            ".sgy .su .npy for restored panels, .zarr .sgy .bin or none for volumes"
        ),
    ],
    figure: Annotated[Path | None, typer.Option(help="Picture of the first gathers with picks.")] = None,
    abstain_width_s: Limits = None,
    min_snr_db: MinSnr = None,
    false_alarm_rate: FalseAlarms = None,
    variable: Annotated[str | None, typer.Option(help="Volumes: variable of the source; amplitudes.")] = None,
    chunk: Annotated[str | None, typer.Option(help="Volumes: chunks of a Zarr output, slowest axis first.")] = None,
    shard: Annotated[str | None, typer.Option(help="Volumes: several chunks in a file: 512,512,512.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Volumes: processes that run tiles; as many as are fastest by a measurement.")
    ] = None,
    cluster: Cluster = None,
    memory_mb: Annotated[float, typer.Option(help="Volumes: MB a worker may take beside the network.")] = 512,
    device: Device = "auto",
    checkpoint: Checkpoint = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Pick, classify or restore whole records, or take a volume by tiles. Keys of apply may be --key value.

    A volume's output that was not finished is gone on with by the same command.
    """
    from seisloom.bundle import open_predictor
    from seisloom.errors import OutputError

    if out.exists() and not force:
        raise OutputError(f"{out}: is there already. Choose another --out, or replace it with --force")
    opened = open_predictor(method, device=device, checkpoint=checkpoint)
    limits = {"abstain_width_s": abstain_width_s, "min_snr_db": min_snr_db, "false_alarm_rate": false_alarm_rate}
    said = [f"{key}={value}" for key, value in limits.items() if value is not None]
    opened = opened.with_changes(*as_changes([*(changes or []), *context.args]), *said)
    if opened.task.tile is None or not opened.task.is_tiled(source):
        (write_one_by_one if opened.task.one_by_one else _pick)(opened, source, out, figure)
        return
    from seisloom.io.volumes.volume import Wanted
    from seisloom.run.apply import apply_volume
    from seisloom.tiled import Place

    place = Place(workers, cluster, memory_mb=memory_mb, device=device)
    wanted = Wanted(chunk=numbers("--chunk", chunk), shard=numbers("--shard", shard))
    with writing(out):
        done = apply_volume(
            opened, source, out, variable=variable, given=given, wanted=wanted, place=place, checkpoint=checkpoint,
            force=force,
        )  # fmt: skip
    for note in done.notes:
        screen.say(note)
    swept = done.swept
    screen.say(
        f"read {source}: {done.grid.lengths}; {swept.forwards_needed} tile{'s' * (swept.forwards_needed > 1)}"
        + (f", {swept.n_resumed} of {swept.n_owners} parts were there already" if swept.n_resumed else "")
        + (f"; {done.pace}" if done.pace.seconds_a_tile else "")
    )
    for path in done.files:
        screen.say(f"wrote {path}")


def _pick(opened: Opened, source: Path, out: Path, figure: Path | None) -> None:
    """Take whole records to a table."""
    figure = None if figure is None else picture_for(figure, "--figure")
    # One by one, since all at once a station's may be larger than the memory. A figure shows a record that is only
    # known at the end, so for one they are all kept
    records = opened.task.open(opened.recipe, source, None)
    records = records if figure is None else list(records)
    product = opened.task.apply(opened.recipe, opened.predictor, opened.calibration, records)
    opened.task.write(product, out)
    counts = product["status"].value_counts().to_dict()
    screen.say(f"read {len(product)} {opened.task.rows} of {source}")
    screen.say(f"wrote {out}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    for reason, count in _reasons(product).items():
        screen.say(f"abstained: {count} x {reason}")
    if opened.calibration is None:
        screen.say(f"{opened.name} is not calibrated: no intervals, no sets. See: seisloom calibrate --help")
    if figure is not None:
        assert isinstance(records, list)
        with writing(figure, "--figure"):
            opened.task.view(opened.recipe, records, product).savefig(figure, dpi=110)
        screen.say(f"drew {figure}")


def _reasons(product: Any) -> dict[str, int]:  # Any: a pandas table
    """Count abstentions by kind of reason; the numbers in a reason differ from trace to trace."""
    counts: dict[str, int] = {}
    for reason in filter(None, product["reason"]):
        kind = " and ".join(
            re.split(r" [<>] ", part)[0].rstrip("0123456789.- dBs").strip() for part in str(reason).split(";")
        )
        counts[kind] = counts.get(kind, 0) + 1
    return counts


@models.command("list")
def list_models() -> None:
    """List what `apply` and `evaluate` take by name, and the networks that a recipe may name."""
    from seisloom import plugins
    from seisloom.bundle import shipped_bundles

    rows = [{"name": name, "kind": "shipped bundle"} for name in shipped_bundles()]
    rows += [{"name": name, "kind": "classical method"} for name in plugins.names("methods")]
    rows += [{"name": name, "kind": "network, for model.name"} for name in plugins.names("models")]
    screen.table(rows)


@models.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Bundle, by folder or shipped name; or a method or network.")],
) -> None:
    """Print the card of a bundle, or the keys of a method or network."""
    from seisloom import plugins
    from seisloom.bundle import Bundle, shipped_bundles

    if Path(name).is_dir() or name in shipped_bundles():
        card = Bundle.open(name).path / "card.md"
        screen.say(card.read_text(encoding="utf-8") if card.is_file() else f"{name} has no card")
        return
    group = "methods" if name in plugins.names("methods") else "models"
    kind = plugins.load(group, name)
    screen.say((kind.__doc__ or name).strip())
    rows = [
        {"key": key, "default": str(one.default), "meaning": one.description or ""}
        for key, one in kind.model_fields.items()
    ]
    screen.table(rows)


def show_quantiles(bundle: Bundle) -> None:
    """Print the factors q on sigma of a calibrated bundle."""
    level = getattr(bundle.recipe.calibrate, "level", 0.9)
    for line in quantile_lines(bundle.calibration, level):
        screen.say(line)


def show_report(report: Any) -> None:  # Any: JSON values
    """Print the tables of a report: a row a method."""
    screen.say(report.get("title", ""))
    for part, table in report.get("tables", {}).items():
        screen.table([{part: name, **row} for name, row in table.items()])
    for line in report.get("notes", []):
        screen.say(line)
