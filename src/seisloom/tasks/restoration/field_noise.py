"""A bank of field noise for `corrupt: add_noise`, out of recorded gathers: what was there before the first arrivals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.beside import beside
from seisloom.io.gather import read_gather
from seisloom.recipe import config_from
from seisloom.sample import Array
from seisloom.signal.noise_bank import energy_onset, noise_windows, side_by_side
from seisloom.tasks.restoration.recipe import RestorationApply
from seisloom.tasks.restoration.sources import cut, find_files, read_array

ONSET_SAMPLES = 20
"""Length of the windows whose energies tell the first arrival."""


def write_noise_bank(
    out: str | Path,
    paths: Sequence[str | Path],
    *,
    shape: tuple[int, int] = (48, 128),
    block: int = 8,
    panels: str = "auto",
    guard: int = 20,
) -> int:
    """Write the noise before the first arrivals of gathers as a bank that a recipe can name, and return its records.

        corrupt:
          - {name: add_noise, source: bank, bank: noise.npz, snr_min: -5, snr_max: 15}

    A bank is of the sampling of its gathers: noise is added sample by sample. Banks to train and to test with should
    be of different surveys, and gathers of one bank of one sampling rate; `keys` say which paths it is from.

    Args:
        out: an .npz, written with `x` float32 (record, trace, time) and `keys`.
        paths: files or folders of gathers: SEG-Y, SU, SEG-2 or .npy with axes (trace, time).
        shape: traces and samples of a record. Data that are larger get it mirrored at its ends.
        block: neighbouring traces that are quiet together; records are put together of such windows of one path.
        panels: how traces of a file make gathers; see `RestorationApply.panels`.
        guard: samples before an arrival that are left out.
    Raises:
        MissingDataError: if a path has no gathers.
        DataError: if nothing is quiet for so long on so many traces.
        OutputError: if the suffix is another, or the file cannot be written.
    """
    if Path(out).suffix != ".npz":
        raise OutputError(f"{out}: a bank of noise is an .npz; choose this suffix")
    if not 1 <= block <= shape[0]:
        raise DataError(f"blocks of {block} traces do not fit into records of {shape[0]}: give 1 to {shape[0]}")
    panels = config_from(RestorationApply, [f"panels={panels}"], where="noise").panels
    records, keys = [], []
    for path in map(Path, paths):
        windows = [
            noise_windows(traces, energy_onset(traces, fs_hz=1.0, window_s=ONSET_SAMPLES), shape=(block, shape[1]),
                          guard=guard)
            for file in find_files(path) for traces in _gathers(file, panels)
            if len(traces) >= block and traces.shape[1] > 2 * ONSET_SAMPLES
        ]  # fmt: skip
        found = side_by_side(windows, shape[0]) if windows else np.zeros((0, *shape), dtype=np.float32)
        records.append(found)
        keys += [f"{path}/{k:06d}" for k in range(len(found))]
    if not keys:
        raise DataError(
            f"{', '.join(map(str, paths))}: before the first arrivals there are not {shape[0]} traces, {block} at a "
            f"time, of {shape[1]} quiet samples. Ask for a smaller shape"
        )
    with beside(Path(out)) as partial, partial.open("wb") as file:
        np.savez(file, x=np.concatenate(records), keys=np.array(keys))
    return len(keys)


def _gathers(file: Path, panels: str) -> Iterator[Array]:
    """Yield the gathers of a file, (trace, time) each."""
    for _, source in cut(file, panels):
        if source.traces is None:
            yield from read_array(source.path)
        else:
            yield read_gather(source.path).take(source.traces)
