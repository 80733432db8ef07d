"""`seisloom faults` and `horizons`: from attribute volumes to the files of interpretation packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seisloom.cli import screen
from seisloom.cli.data import Force
from seisloom.cli.given import takes_given
from seisloom.errors import OutputError, RecipeError

faults = typer.Typer(no_args_is_help=True, help="Faults of an attribute volume.")
horizons = typer.Typer(no_args_is_help=True, help="Horizons of a volume of relative geologic time.")
SHOWN = 20
"""Patches and horizons that are listed on the screen."""
Source = Annotated[Path, typer.Argument(help="A volume of attributes: Zarr, raw cubes (result.fsem), SEG-Y.")]


@faults.callback()
def faults_group() -> None:
    """Faults of an attribute volume."""


@horizons.callback()
def horizons_group() -> None:
    """Horizons of a volume of relative geologic time."""


@faults.command()
@takes_given
def sticks(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    source: Source,
    out: Annotated[Path, typer.Option(help="Sticks: .csv .geojson, .txt for OpendTect, .dat for Charisma and Petrel.")],
    variable: Annotated[str, typer.Option(help="Variable with the fault probability.")] = "fault",
    threshold: Annotated[float, typer.Option(help="Probability from which on a voxel is a fault.")] = 0.5,
    max_angle: Annotated[float, typer.Option(help="Degrees by which neighbours of one patch may differ.")] = 10.0,
    min_size: Annotated[int | None, typer.Option(help="Voxels of the smallest patch; 100, of a section 20.")] = None,
    every: Annotated[int, typer.Option(help="Inlines or crosslines from one stick to the next.")] = 10,
    tolerance: Annotated[float, typer.Option(help="Voxels by which a stick may leave the fault.")] = 1.0,
    velocity: Annotated[float | None, typer.Option(help="m/s, for angles of the earth where the axis is time.")] = None,
    box: Annotated[
        list[str] | None, typer.Option(help="AXIS=FROM:TO, a part of the volume, such as inline=100:300; repeated.")
    ] = None,
    patches: Annotated[Path | None, typer.Option(help="CSV of the patches: angles, sizes, numbers of voxels.")] = None,
    force: Force = False,
) -> None:
    """Write faults as sticks: thinned, joined to patches that face one way, drawn in inlines or crosslines.

    Dip and strike are taken from the volume where it has them, else from the fault image.
    """
    from seisloom.cli.values import writing
    from seisloom.io.fault_sticks import check_suffix, write_fault_sticks
    from seisloom.tasks.interpretation.exports.blocks import box_of, named_or_only, open_attributes
    from seisloom.tasks.interpretation.exports.sticks import fault_sticks

    ranges = dict(_range(one) for one in box or [])
    for file in (out, *([patches] if patches else [])):
        _check_place(file, force)
    volume = open_attributes(source, given, name=variable, beside=("dip", "strike"))
    variable = named_or_only(volume, variable)
    check_suffix(out, has_xy=volume.spec.has_xy)
    found = fault_sticks(
        volume,
        variable=variable,
        threshold=threshold,
        max_angle_deg=max_angle,
        min_size=min_size,
        every=every,
        tolerance=tolerance,
        velocity_m_s=velocity,
        box=box_of(volume.spec.grid, ranges) if ranges else None,
    )
    with writing(out):
        write_fault_sticks(out, found.nodes, found.patches)
    if patches is not None:
        with writing(patches, "--patches"):
            found.patches.to_csv(patches, index=False)
    _say_sticks(found, variable, threshold, velocity)
    for file in (out, *([patches] if patches else [])):
        screen.say(f"wrote {file}")


def _say_sticks(found: Any, variable: str, threshold: float, velocity: float | None) -> None:
    """Say what was found and what was left out; `found` is a FaultSticks, whose module is not loaded for --help."""
    table = found.patches
    if table.empty:
        why = f"{variable} reaches it nowhere"
        if found.largest_small:
            why = f"the largest patch has {found.largest_small}: a smaller --min-size than {found.min_size} takes it"
        elif found.n_voxels:
            why = "no patch is wide enough for a stick: a smaller --every draws more"
        screen.say(f"no fault: of {found.n_voxels} thinned voxels at {threshold:g} or more, {why}. The table is empty")
    screen.say(
        f"{len(table)} patches with {int(table['n_sticks'].sum())} sticks, {int(table['n_nodes'].sum())} nodes; of "
        f"{found.n_voxels} thinned voxels; left out: {found.n_small} patches below {found.min_size} voxels "
        f"({found.n_small_voxels} voxels), {found.n_without_stick} too narrow for a stick"
    )
    if found.n_from_image:
        screen.say(f"{found.n_from_image} voxels have no dip and strike: their normals are of the fault image")
    in_earth = len(table) and table["length_m"].notna().all()
    columns = {
        "patch": "patch", "n_voxels": "voxels", "probability": "prob", "sections": "along", "n_sticks": "sticks",
        "dip_deg": "dip", "strike_deg": "strike", "dip_earth_deg": "earth dip", "dip_azimuth_deg": "dips to",
        **({"length_m": "m long", "height_m": "m high"} if in_earth else {"length": "traces", "height": "samples"}),
    }  # fmt: skip
    if (table["length"] == 0).all():  # of a single line, in which nothing strikes anywhere
        columns = {name: one for name, one in columns.items() if one not in ("along", "strike", "traces", "m long")}
    screen.table(table[list(columns)].rename(columns=columns).head(SHOWN).dropna(axis=1, how="all").to_dict("records"))
    if len(table) > SHOWN:
        screen.say(f"... and {len(table) - SHOWN} more: --patches FILE.csv writes all")
    if velocity is not None and len(table) and table["dip_earth_deg"].isna().all():
        screen.say(
            "no angles of the earth: the volume says no distances of its traces, or no time. Take them from the "
            "survey: seisloom convert VOLUME with_xy.zarr --like survey.sgy"
        )


@horizons.command()
@takes_given
def extract(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    source: Source,
    out: Annotated[Path, typer.Option(help="Horizons: .csv, .xyz (x y z), .dat (inline crossline sample).")],
    n: Annotated[int | None, typer.Option(help="Horizons at evenly spaced quantiles of the time; 20.")] = None,
    levels: Annotated[
        str | None, typer.Option(help="Relative geologic times of the horizons in place of --n, sorted: 0.1,0.2.")
    ] = None,
    variable: Annotated[str, typer.Option(help="Variable with the relative geologic time.")] = "rgt",
    fault: Annotated[
        str | None, typer.Option(help="Variable with fault probabilities: horizons have no points near faults.")
    ] = None,
    near: Annotated[float, typer.Option(help="Voxels to a fault up to which there are no points.")] = 2.0,
    threshold: Annotated[float, typer.Option(help="Probability from which on a voxel is a fault.")] = 0.5,
    force: Force = False,
) -> None:
    """Write horizons: where each trace first rises to a relative geologic time. They never cross."""
    import numpy as np

    from seisloom.cli.values import writing
    from seisloom.io.horizon_text import check_suffix, down_at, write_horizons
    from seisloom.tasks.interpretation.exports.blocks import named_or_only, open_attributes
    from seisloom.tasks.interpretation.exports.horizons import horizons_of

    if n is not None and levels is not None:
        raise RecipeError("--n and --levels both say which horizons: give one")
    wanted = None if levels is None else _numbers(levels)
    _check_place(out, force)
    volume = open_attributes(source, given, name=variable, beside=[fault] if fault else [])
    check_suffix(out, has_xy=volume.spec.has_xy)
    variable = named_or_only(volume, variable)
    found = horizons_of(
        volume, variable=variable, n=20 if n is None else n, levels=wanted, fault=fault, near=near, threshold=threshold
    )
    with writing(out):
        write_horizons(out, found)
    down = found.grid.axes[-1]
    rows = []
    for k, (level, depth) in enumerate(zip(found.levels, found.depth, strict=True), 1):
        there = depth[~np.isnan(depth)]
        place = down_at(down, there)
        rows.append(
            {
                "horizon": k, "level": float(level), "traces": there.size,
                "share": there.size / max(1, depth.size),
                **({f"mean {down.name}": float(place.mean())} if there.size else {}),
            }
        )  # fmt: skip
    screen.table(rows[:SHOWN])
    if len(rows) > SHOWN:
        screen.say(f"... and {len(rows) - SHOWN} more")
    empty = [str(row["horizon"]) for row in rows if not row["traces"]]
    if empty:
        away = "" if fault is None else f" more than --near {near:g} voxels from a fault"
        screen.say(
            f"no trace reaches horizon {', '.join(empty)}{away}: "
            f"{'the table' if len(empty) == len(rows) else 'it'} is empty"
        )
    screen.say(f"wrote {out}")


def _check_place(file: Path, force: bool) -> None:
    if file.is_dir():
        raise OutputError(f"{file}: is a folder. Give a file in it")
    if file.exists() and not force:
        raise OutputError(f"{file}: is there already. Choose another place, or replace it with --force")


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.partition("=")
    first, _, last = ends.partition(":")
    try:
        return name, (float(first), float(last))
    except ValueError:
        raise RecipeError(f"--box {text}: give AXIS=FROM:TO, such as --box inline=100:300") from None


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise RecipeError(f"--levels {text}: give numbers, such as --levels 0.1,0.2") from None
