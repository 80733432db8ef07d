"""`seisloom view`: pictures of records."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Draw records, samples and augmentations.")


@app.callback()
def group() -> None:
    """Draw records, samples and augmentations."""
