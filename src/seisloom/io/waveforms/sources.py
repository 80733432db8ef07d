"""Catalogues by their kind: which one a path is, and the records that it lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms import manifest, quakeml, seisbench
from seisloom.io.waveforms.entry import Catalogue, Columns, Entry
from seisloom.io.waveforms.files import read_files
from seisloom.io.waveforms.waveform import Waveform

PICKLES = (".pkl", ".pickle")


def find_catalogue(path: str | Path) -> Path:
    """Return the file of a catalogue: the one that is given, or the one in a folder.

    Raises:
        MissingDataError: if it is not there, or the folder has none.
        DataError: if it is pickled events, a kind that is not known, or the folder has several QuakeML files.
    """
    place = Path(path)
    if not place.exists():
        raise MissingDataError(f"{place}: no such catalogue or folder. Correct data.paths")
    if place.is_file():
        return _known(place)
    for name in (manifest.NAME, seisbench.NAME):
        if (place / name).is_file():
            return place / name
    if (place / seisbench.CHUNKS).is_file():
        return seisbench.first_table(place)
    found = sorted(one for one in place.iterdir() if one.suffix.lower() in quakeml.SUFFIXES)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{place}: has {len(found)} QuakeML files; name one: data.paths=[{found[0]}]")
    raise MissingDataError(
        f"{place}: no {manifest.NAME}, {seisbench.NAME} or QuakeML file in it says what its waveforms are. Write a "
        f"{manifest.NAME} with the columns path, event_id, nslc, label"
    )


def _known(file: Path) -> Path:
    suffix = file.suffix.lower()
    if suffix in PICKLES:
        raise DataError(
            f"{file}: pickled events have neither sampling rate nor station. Bring them in first: seisloom convert "
            f"{file} {file.with_suffix('')} --sampling-rate 100"
        )
    if suffix in seisbench.SUFFIXES:
        return file.with_name(f"{file.stem.replace('waveforms', 'metadata', 1)}.csv")
    if suffix == ".csv" or suffix in quakeml.SUFFIXES:
        return file
    raise DataError(f"{file}: no catalogue. Give a folder, a CSV, a QuakeML file (.xml), or SeisBench's metadata.csv")


def read_catalogue(path: str | Path, columns: Columns = Columns(), *, need_label: bool = True) -> Catalogue:  # noqa: B008  frozen
    """Return the records that a catalogue lists; no samples are read.

    Args:
        path: see `find_catalogue`.
        columns: names of a manifest's columns.
        need_label: refuse a catalogue without the column of the class.
    """
    file = find_catalogue(path)
    if file.suffix.lower() in quakeml.SUFFIXES:
        return quakeml.read_catalogue(file)
    if seisbench.is_metadata(file):
        return seisbench.read_catalogue(file, columns, need_label=need_label)
    return manifest.read_manifest(file, columns, need_label=need_label)


def read_entry(entry: Entry) -> Waveform:
    """Return the record of an entry; files that were read lately are not read again.

    Raises:
        MissingDataError: if a file is not there any more.
        DataError: if it is damaged, holds other stations, or another sampling rate than the catalogue says.
    """
    found = [seisbench.read_trace(Path(entry.files[0]), entry)] if entry.trace else read_files(entry.files)
    waveform = _chosen(found, entry)
    if entry.fs_hz > 0 and abs(waveform.fs_hz - entry.fs_hz) > 1e-3 * entry.fs_hz:
        raise DataError(
            f"{entry.files[0]}: its header says {waveform.fs_hz:g} Hz, and {entry.where} {entry.fs_hz:g} Hz. Correct "
            "the catalogue"
        )
    return waveform


def _chosen(found: Sequence[Waveform], entry: Entry) -> Waveform:
    """Return the record that an entry means; a file of one record is taken whatever it calls itself."""
    if len(found) == 1:
        return found[0]
    codes = (entry.network, entry.station, entry.location, entry.band)
    for n in (4, 2):
        some = [one for one in found if (one.network, one.station, one.location, one.band)[:n] == codes[:n]]
        if len(some) == 1:
            return some[0]
    raise DataError(
        f"{entry.files[0]}: holds {', '.join(one.name for one in found)}, and {entry.where} asks for {entry.name}. "
        "Correct the catalogue"
    )
