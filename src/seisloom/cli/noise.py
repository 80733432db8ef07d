"""`seisloom synth noise`: a bank of field noise out of recorded gathers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import writing


def noise(
    gathers: Annotated[list[Path], typer.Argument(help="Files or folders: SEG-Y, SU, SEG-2, or .npy (trace, time).")],
    out: Annotated[Path, typer.Option(help="The bank, an .npz.")],
    traces: Annotated[int, typer.Option(min=1, help="Of a record; data that are larger get it mirrored.")] = 48,
    samples: Annotated[int, typer.Option(min=8, help="Of a record, quiet from the first to the last.")] = 128,
    block: Annotated[int, typer.Option(min=1, help="Neighbours that are quiet together.")] = 8,
    panels: Annotated[str, typer.Option(help="How traces of a file make gathers, as apply.panels says.")] = "auto",
) -> None:
    """Write what was recorded before the first arrivals as a bank that a recipe's `add_noise` takes."""
    from seisloom.tasks.restoration.field_noise import write_noise_bank

    with writing(out):
        n = write_noise_bank(out, gathers, shape=(traces, samples), block=block, panels=panels)
    screen.say(f"wrote {out}: {n} records of {traces} traces and {samples} samples")
    screen.say(f"in a recipe: corrupt: [{{name: add_noise, source: bank, bank: {out}, snr_min: -5, snr_max: 15}}]")
