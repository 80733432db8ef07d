"""`seisloom convert`, `volume` and `view section`: volumes in and out of the formats of the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seisloom.cli import screen
from seisloom.cli.data import Cluster, Force, Workers
from seisloom.cli.given import takes_given
from seisloom.cli.values import numbers
from seisloom.errors import RecipeError

PICKLES = (".pkl", ".pickle")
"""Suffixes of pickled events; their reader is not loaded for --help."""
volume = typer.Typer(no_args_is_help=True, help="Look at volumes.")


@volume.callback()
def group() -> None:
    """Look at volumes."""


@takes_given
def convert(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="SEG-Y, SU, Zarr or MDIO, raw cube, or folder of numbered cubes; or pickled events (.pkl)."
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            help="What to write; the suffix chooses: .sgy .zarr .bin .vti .nhdr, none: raw. Of events, a folder."
        ),
    ],
    patch: Annotated[str | None, typer.Option(help="Write numbered cubes of n1,n2,n3 samples into a folder.")] = None,
    stride: Annotated[
        str | None, typer.Option(help="Distance of numbered cubes, n1,n2,n3; by default they meet.")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(help="NAME=FILE: a target that is cut alike; repeated.")] = None,
    like: Annotated[Path | None, typer.Option(help="Volume that gives headers and coordinates.")] = None,
    variable: Annotated[list[str] | None, typer.Option(help="Variables to write; all by default.")] = None,
    chunk: Annotated[str | None, typer.Option(help="Chunks of a Zarr volume, slowest axis first: 128,128,128.")] = None,
    shard: Annotated[str | None, typer.Option(help="Several chunks in a file: 512,512,512.")] = None,
    sampling_rate: Annotated[float | None, typer.Option(help="Events: sampling rate in Hz.")] = None,
    station: Annotated[
        list[str] | None,
        typer.Option(help="Events: station or NETWORK.STATION.LOCATION.BAND; by default the file's name."),
    ] = None,
    group_column: Annotated[str | None, typer.Option(help="Events: column that names the event.")] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    force: Force = False,
) -> None:
    """Write a volume in another format, with headers, coordinates and holes; or pickled events as miniSEED.

    Events: seisloom convert VRAC.pkl MORC.pkl events --sampling-rate 100
    """
    if any(one.suffix.lower() in PICKLES for one in sources):
        _convert_events(sources, out, fs_hz=sampling_rate, stations=station, group_column=group_column, force=force)
        return
    for name, value in (("--sampling-rate", sampling_rate), ("--station", station), ("--group-column", group_column)):
        if value is not None and value != []:
            raise RecipeError(f"{name} is for pickled events (.pkl), and {sources[0]} is none")
    if len(sources) > 1:
        raise RecipeError(f"{len(sources)} volumes are given; convert one at a time: seisloom convert {sources[0]} OUT")
    (source,) = sources
    from seisloom.compute import executor
    from seisloom.convert import convert as run_convert
    from seisloom.io.volumes.volume import Wanted

    if patch is not None:
        from seisloom.convert import cut

        targets = dict(_named(one) for one in target or [])
        size, step = numbers("--patch", patch), numbers("--stride", stride)
        assert size is not None
        for path in cut(source, out, patch=size, stride=step, targets=targets, given=given, force=force):
            screen.say(f"wrote {path}")
        return
    for name, value in (("--stride", stride), ("--target", target)):
        if value:
            raise RecipeError(f"{name} goes with --patch: seisloom convert {source} FOLDER --patch 128,128,128")
    wanted = Wanted(chunk=numbers("--chunk", chunk), shard=numbers("--shard", shard))
    with executor(cluster, workers) as pool:
        done = run_convert(
            source, out, given=given, wanted=wanted, like=like, variables=variable or [], pool=pool, force=force
        )
    said = ", ".join(f"{count} {what}" for what, count in done.counts.items() if count)
    screen.say(f"read {source}: {done.spec.grid.lengths}; {said}")
    for path in done.files:
        screen.say(f"wrote {path}")


def _convert_events(
    sources: list[Path], out: Path, *,
    fs_hz: float | None, stations: list[str] | None, group_column: str | None, force: bool,
) -> None:  # fmt: skip
    """Write pickled events as miniSEED with a manifest, and say how many of each class there are."""
    from seisloom.io.waveforms.convert_pickle import convert_events

    others = [one for one in sources if one.suffix.lower() not in PICKLES]
    if others:
        raise RecipeError(f"{others[0]}: is no pickle (.pkl, .pickle) of events, and the other inputs are")
    done = convert_events(sources, out, fs_hz=fs_hz, stations=stations or (), group_column=group_column, force=force)
    for source, counts in done.counts.items():
        listed = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        screen.say(f"read {source}: {sum(counts.values())} events; {listed}")
    for note in done.notes:
        screen.say(note)
    screen.say(f"wrote {done.manifest}")


def _named(text: str) -> tuple[str, Path]:
    name, found, path = text.partition("=")
    if not found or not name or not path:
        raise RecipeError(f"--target {text}: give NAME=FILE, such as --target rgt=survey_rgt.zarr")
    return name, Path(path)


@volume.command("info")
@takes_given
def info(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    source: Annotated[Path, typer.Argument(help="A volume.")],
    variable: Annotated[str | None, typer.Option(help="Variable to look at; the first by default.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Headers alone: no pass over the samples.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    workers: Workers = None,
    cluster: Cluster = None,
) -> None:
    """Print axes, variables and headers, and the fingerprint of the samples."""
    from seisloom.compute import executor
    from seisloom.convert import open_volume, report
    from seisloom.fingerprint import fingerprint

    opened = open_volume(source, given)
    said = report(opened)
    if not fast:
        with executor(cluster, workers) as pool:
            name = variable or next(iter(opened.spec.variables))
            said["fingerprint"] = fingerprint(opened, name, pool=pool).to_json()
    if json:
        screen.say_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:  # Any: JSON values
    screen.say(f"{said['file']}: " + ", ".join(f"{name} ({kind})" for name, kind in said["variables"].items()))
    screen.table(said["axes"])
    for note in said["notes"]:
        screen.say(note)
    found = said.get("fingerprint")
    if found is None:
        return
    screen.table(
        [{"traces": found["n_traces"], "holes": found["n_holes"], "dead": found["n_dead"], "padded": found["n_padded"],
          "samples not finite": found["n_not_finite"], "RMS": found["rms"]}]
    )  # fmt: skip
    screen.table([{"per cent": "amplitude", **found["percentiles"]}])
    screen.table([{"axis": name, **look} for name, look in found["axes"].items()])
    screen.say(f"last axis is time or depth: {found['axis_order']}; stronger polarity: {found['polarity']}")


@takes_given
def section(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    source: Annotated[Path, typer.Argument(help="A volume.")],
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    inline: Annotated[float | None, typer.Option(help="Draw this inline.")] = None,
    crossline: Annotated[float | None, typer.Option(help="Draw this crossline.")] = None,
    time: Annotated[float | None, typer.Option(help="Draw the slice at this time, in s.")] = None,
    depth: Annotated[float | None, typer.Option(help="Draw the slice at this depth, in m.")] = None,
    at: Annotated[list[str] | None, typer.Option(help="AXIS=VALUE of any other axis, such as offset=500.")] = None,
    variable: Annotated[str | None, typer.Option(help="Variable to draw; the first by default.")] = None,
    clip: Annotated[float, typer.Option(help="Per cent of the samples that the colours span.")] = 99.0,
) -> None:
    """Draw a section of a volume: an inline, a crossline, a slice, or a whole 2-D line."""
    from seisloom.cli.values import picture_for, writing
    from seisloom.convert import open_volume
    from seisloom.figures.sections import draw_section
    from seisloom.figures.volumes import named_by_file
    from seisloom.io.volumes.grid import VERTICAL
    from seisloom.io.volumes.section import read_section
    from seisloom.signal.axes import axis_verdict, look_along

    picture_for(out)
    opened = open_volume(source, given)
    named = {"inline": inline, "crossline": crossline, "time": time, "depth": depth}
    places = {name: value for name, value in named.items() if value is not None} | dict(_place(one) for one in at or [])
    shown = variable or next(iter(opened.spec.variables))
    found = read_section(opened, places, shown)
    title = ", ".join([source.name, *(f"{name} {value:g}" for name, value in places.items())])
    figure = draw_section(
        found.values, across=found.across.values, down=found.down.values, live=found.live, clip=clip,
        across_label=_label(found.across), down_label=_label(found.down), label=named_by_file(source, shown),
        title=title,
    )  # fmt: skip
    with writing(out):
        figure.savefig(out)
    screen.say(f"drew {out}")
    if found.down.name in VERTICAL and not places and axis_verdict(look_along([found.values.T], 2)) == "does not fit":
        screen.say(
            f"the samples do not look as if {found.down.name}, the last axis, were time or depth: the picture may lie "
            "on its side. Where the file does not say which axis is which, --n1 (time or depth) and --n2 do"
        )


@takes_given
def cube(
    given: Any,  # a seisloom.io.volumes.volume.Given, whose module is not loaded for --help
    source: Annotated[Path, typer.Argument(help="A volume of three axes.")],
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    inline: Annotated[float | None, typer.Option(help="Inline to draw; the middle one by default.")] = None,
    crossline: Annotated[float | None, typer.Option(help="Crossline to draw.")] = None,
    time: Annotated[float | None, typer.Option(help="Time (s), depth (m) or sample of the slice.")] = None,
    variable: Annotated[str | None, typer.Option(help="Variable to draw; the first by default.")] = None,
    overlay: Annotated[Path | None, typer.Option(help="Volume on the same grid to lay over, such as a result.")] = None,
    over: Annotated[str | None, typer.Option(help="Its variable; fault, or else the first.")] = None,
) -> None:
    """Draw an inline, a crossline and a slice of a volume, with another one laid over."""
    from seisloom.cli.values import picture_for, writing
    from seisloom.convert import open_volume
    from seisloom.figures.volumes import draw_planes, named_by_file

    picture_for(out)
    opened = open_volume(source, given)
    shown = variable or next(iter(opened.spec.variables))
    laid = None if overlay is None else open_volume(overlay)
    chosen = None
    if laid is not None:
        names = list(laid.spec.variables)
        chosen = over or ("fault" if "fault" in names else names[0])
    planes = _planes(opened, (inline, crossline, time), shown, laid, chosen or "")
    laid_label = "" if overlay is None else named_by_file(overlay, chosen or "")
    figure = draw_planes(planes, label=named_by_file(source, shown), overlay_label=laid_label, title=source.name)
    with writing(out):
        figure.savefig(out)
    screen.say(f"drew {out}")


def _planes(opened: Any, places: tuple[float | None, ...], name: str, laid: Any, over: str) -> Any:
    """Return slice, inline and crossline with what is laid over. Any: Volumes and Planes, loaded late."""
    from seisloom.errors import DataError
    from seisloom.figures.volumes import Plane
    from seisloom.io.volumes.section import read_section

    axes = opened.spec.grid.axes
    if len(axes) != 3:
        raise DataError(f"{opened.path}: {opened.spec.grid.lengths}, and three axes are needed. See: view section")
    if laid is not None and laid.spec.grid.shape != opened.spec.grid.shape:
        raise DataError(f"{laid.path} is {laid.spec.grid.lengths}, and {opened.path} is {opened.spec.grid.lengths}")
    middles = (float(axis.values[len(axis) // 2]) for axis in axes)
    at = [middle if place is None else place for place, middle in zip(places, middles, strict=True)]
    planes = []
    for held in (2, 0, 1):
        down, across = (axes[0], axes[1]) if held == 2 else (axes[2], axes[1 - held])
        # The grid of what is laid over may be numbered otherwise: its place is that of the volume
        index = axes[held].index(at[held])
        pair = [read_section(opened, {axes[held].name: at[held]}, name)]
        if laid is not None:
            other = laid.spec.grid.axes[held]
            pair.append(read_section(laid, {other.name: float(other.values[index])}, over))
        values = [one.values.T if held == 2 else one.values for one in pair]
        planes.append(
            Plane(
                values[0], across=_ends(across), down=_ends(down), across_label=_label(across), down_label=_label(down),
                title=f"{axes[held].name} {at[held]:g}", overlay=values[1] if laid is not None else None,
                cuts=(at[1 - held] if held < 2 else at[1], at[2] if held < 2 else at[0]),
            )
        )  # fmt: skip
    return tuple(planes)


def _ends(axis: Any) -> tuple[float, float]:  # Any: an Axis, whose module is not loaded for --help
    return axis.first, float(axis.values[-1])


def _place(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise RecipeError(f"--at {text}: give AXIS=VALUE, such as --at offset=500") from None


def _label(axis: Any) -> str:  # Any: an Axis, whose module is not loaded for --help
    return axis.name if axis.unit == "1" else f"{axis.name} ({axis.unit})"
