"""`seisloom synth dispersion`, and `seisloom manifest check` of its manifests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import writing

if TYPE_CHECKING:
    from seisloom.tasks.dispersion.store.check_record import CheckReport
    from seisloom.tasks.dispersion.store.write import Written

ENDING = ".jsonl"
"""Of manifests of records."""


def dispersion(
    recipe: Annotated[
        str | None,
        typer.Argument(help="Recipe, by path or packaged name, or the blocks of `data` alone; or a first key=value."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Argument(help="key=value, such as frequency.max_hz=50 simulation.method=plane_waves.")
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Records; cli.dry_run_samples by default.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Beats cli.seed and the recipe's seed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; beats paths.output_root.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; by default one a core.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, e.g. tcp://10.0.0.1:8786.")] = None,
    validate_manifest: Annotated[
        bool, typer.Option("--validate-manifest", help="Read every record back and check it, when all are written.")
    ] = False,
    also: Annotated[str | None, typer.Option(help="The manifest as tables too: parquet,csv.")] = None,
    shards: Annotated[bool, typer.Option("--shards", help="Records in tar files: paths.format=shards.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the records that the manifest lists.")] = False,
) -> None:
    """Write dispersion spectra with the curves of their modes; goes on where a former run stopped, or appends."""
    from seisloom.compute import executor
    from seisloom.tasks.dispersion.store.card import check_card, write_card
    from seisloom.tasks.dispersion.store.check import check_manifest
    from seisloom.tasks.dispersion.store.manifest import held
    from seisloom.tasks.dispersion.store.recipe import plan
    from seisloom.tasks.dispersion.store.shards import write_index
    from seisloom.tasks.dispersion.store.tables import tables_of, write_tables
    from seisloom.tasks.dispersion.store.write import Written, clear_records, write_records

    words = list(changes or [])
    if recipe is not None and "=" in recipe and not Path(recipe).is_file():
        words, recipe = [recipe, *words], None
    if shards:
        words.append("paths.format=shards")
    formats = tables_of(also)
    planned = plan(recipe, words, out=out, samples=samples, seed=seed)
    root, manifest = planned.out, planned.manifest
    check_card(root)
    total = Written()
    with writing(root), held(manifest):
        if force and (n := clear_records(manifest, root)):
            screen.say(f"removed {n} records of {manifest}")
        with executor(cluster, workers) as pool:
            for part in planned.parts:
                total += write_records(
                    part.data, root, n=part.n, seed=planned.seed, manifest=manifest, pool=pool, about=part.about
                )
        folders = planned.parts[0].data.paths
        write_index(root / folders.curves_subdir)
        card = write_card(root, manifest, folders)
        tables = write_tables(manifest, formats)
    _say_written(total, root, manifest)
    for file in (card, *tables):
        screen.say(f"wrote {file}")
    if validate_manifest:
        say_report([manifest], check_manifest(manifest))
    screen.say(f"next: seisloom view dispersion {root} --out record.png")


def _say_written(total: Written, root: Path, manifest: Path) -> None:
    rate = f", {total.n_bytes / 1e6:.1f} MB, {total.made / total.seconds:.1f} records/s" if total.made else ""
    kept = f", {total.kept} there already" if total.kept else ""
    screen.say(f"wrote {root}: {total.made} records{kept}{rate}; {manifest.name} lists them")
    if total.mended:
        screen.say(f"cut a torn last line off {manifest.name} ({total.mended} bytes), which a stopped run had left")
    if total.rejected:
        reasons = ", ".join(f"{n} x {reason}" for reason, n in total.rejected.most_common())
        screen.say(f"media drawn and not taken: {reasons}")


def check_manifests(files: Sequence[Path]) -> None:
    """Say whether manifests of records are whole, together: parts of a split share no medium.

    Raises:
        DataError: if something is wrong, after all of it is said.
    """
    from seisloom.tasks.dispersion.store.check import check_manifest

    say_report(files, check_manifest(files))


def say_report(files: Sequence[Path], report: CheckReport) -> None:
    """Say what was found.

    Raises:
        DataError: if something is wrong.
    """
    from seisloom.errors import DataError

    for line in report.lines():
        screen.say(line)
    names = ", ".join(str(file) for file in files)
    if not report.is_whole:
        n = sum(report.found.values())
        raise DataError(
            f"{names}: {n} mistake{'s' if n > 1 else ''} in {report.n_rows} rows. Take wrong rows out and run the same "
            "`seisloom synth dispersion` again, or replace all with --force"
        )
    parts = f" ({', '.join(f'{name} {n}' for name, n in report.parts.items())})" if len(report.parts) > 1 else ""
    screen.say(f"{names}: {report.n_rows} records{parts}, {report.n_bytes / 1e6:.1f} MB, all whole, none twice")
    if report.n_old:
        screen.say(f"{report.n_old} rows say no content_sha256, so that a changed record is not noticed")
