"""`seisloom view gather`: pictures of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seisloom.cli import screen
from seisloom.cli.values import picture_for, writing
from seisloom.errors import DataError, MissingDataError

app = typer.Typer(no_args_is_help=True, help="Draw records and volumes.")


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
