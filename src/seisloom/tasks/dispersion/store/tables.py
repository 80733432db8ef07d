"""The manifest as tables for other programs: Parquet, CSV."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from seisloom.errors import RecipeError
from seisloom.tasks.dispersion.store.card import SAID
from seisloom.tasks.dispersion.store.manifest import read_rows
from seisloom.tasks.dispersion.store.record import cannot_write

TABLES = ("parquet", "csv")


def tables_of(also: str | None) -> tuple[str, ...]:
    """Return the formats of `--also parquet,csv`.

    Raises:
        RecipeError: if one is not known.
    """
    words = tuple((also or "").replace(",", " ").split())
    for word in words:
        if word not in TABLES:
            raise RecipeError(f"--also {word}: is no format of a table; give {' or '.join(TABLES)}, or both as A,B")
    return words


def write_tables(manifest: Path, formats: Sequence[str]) -> list[Path]:
    """Write the manifest as tables beside it, such as labels.parquet; `rejected` becomes text of JSON.

    Raises:
        DataError: if a line of the manifest is no row.
        OutputError: if the disk is full or not to be written.
    """
    if not formats:
        return []
    import pandas as pd

    rows = [{**row, "rejected": json.dumps(row.get("rejected"))} for _, row in read_rows(manifest)]
    table = pd.DataFrame(rows)
    for name in (one for one, (kind, _) in SAID.items() if kind == "Integer" and one in table):
        table[name] = table[name].astype("Int64")  # null stays null, and is no NaN
    for name in (one for one, (kind, _) in SAID.items() if kind == "Float" and one in table):
        table[name] = table[name].astype("Float64")
    written = []
    for kind in formats:
        file = manifest.with_suffix(f".{kind}")
        partial = file.with_name(f"{file.name}.partial")
        try:
            if kind == "csv":
                table.to_csv(partial, index=False)
            else:
                table.to_parquet(partial, index=False)
            os.replace(partial, file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise cannot_write(file, error) from error
        written.append(file)
    return written
