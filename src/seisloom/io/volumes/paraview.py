"""Volumes for ParaView: VTK image data (.vti), and a raw cube with headers (.nhdr, .vgi) beside it.

On disk time or depth is fastest, as in a raw cube, so that boxes are written in long runs. A `.vti` says by its
`Direction` that this axis points down: inlines lie along x, crosslines along y and time or depth along -z. NRRD and VGI
know no such turn in ParaView: there the first axis, time or depth, is drawn along x; and VTK 9.7 takes a first axis of
fewer than 10 samples of a `.nhdr` as components of a vector. So `.vti` is the better one to look at.

Times are in ms in a `.vti`, that a cube of 4 ms and one line a step is not drawn flat; all else has its own unit.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from xml.sax.saxutils import quoteattr

from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.begun import begun_with
from seisloom.io.volumes.grid import Axis, Box, Grid
from seisloom.io.volumes.nrrd import header_of, read_header
from seisloom.io.volumes.raw.cube import Cube, cannot_write
from seisloom.io.volumes.raw.sidecar import Sidecar, read_sidecar
from seisloom.io.volumes.raw.volume import RawVolume
from seisloom.io.volumes.raw.writer import RawWriter
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume, Wanted, Writer, partial_of
from seisloom.sample import Array

DIRECTION = "0 0 1 0 1 0 -1 0 0"
"""Row by row: x, y and z of a step along the first, second and third axis on disk. It turns and does not mirror."""
TAIL = b"\n</AppendedData>\n</VTKFile>\n"


def _three_even_axes(path: Path, grid: Grid) -> list[Axis]:
    """Return the axes of a picture, the fastest first; those of length 1 stand for none.

    Raises:
        OutputError: if there are more than three, or steps differ.
    """
    uneven = [axis.name for axis in grid.axes if axis.step is None]
    if len(grid.axes) > 3 or uneven:
        why = f"steps of {uneven[0]} differ" if uneven else f"there are {len(grid.axes)} axes"
        raise OutputError(f"{path}: holds three axes of even steps at most, and {why}. Write a .zarr instead")
    return [*grid.axes[::-1], *(Axis.regular("", 1) for _ in range(3 - len(grid.axes)))]


class VtiWriter:
    """Writes VTK image data beside its place: XML, and behind it the samples as they are.

    Source: VTK file formats, docs.vtk.org, "XML file formats"; `Direction` since VTK 9.0.
    """

    def __init__(self, path: Path, spec: Spec, wanted: Wanted, *, begins: bool = True) -> None:
        """Make room for the file.

        Args:
            path: of the file.
            spec: what it is.
            wanted: nothing that it has.
            begins: False to go on with one that is there, see `resume`.
        Raises:
            OutputError: if the grid has more than three axes or uneven ones, or there is no room.
        """
        del wanted
        self.path, self.spec = Path(path), spec
        self.grain = (1,) * len(spec.grid.axes)
        self._cubes: dict[str, Cube] = {}
        head = _vti_head(spec, _three_even_axes(path, spec.grid)).encode()
        place = len(head)
        for name in spec.variables:
            self._cubes[name] = Cube(partial_of(self.path), spec.grid.shape, offset=place + 8)
            place += 8 + self._cubes[name].n_bytes
        self._end = place
        self._begun = begun_with(self.path, "vti", spec)
        if begins:
            self._begin(head)

    @classmethod
    def resume(cls, path: Path, spec: Spec, wanted: Wanted) -> Self | None:
        """Return a writer that goes on with a partial file, see `Format.resume`."""
        writer = cls(path, spec, wanted, begins=False)
        if not writer._begun.is_noted() or not partial_of(writer.path).exists():
            return None
        writer._begun.check({partial_of(writer.path): writer._end + len(TAIL)})
        return writer

    def _begin(self, head: bytes) -> None:
        try:
            self._make_room(head)
        except OutputError:
            self.abandon()
            raise

    def _make_room(self, head: bytes) -> None:
        try:
            self._begun.forget()
            partial_of(self.path).write_bytes(head)
            for cube in self._cubes.values():
                cube.make_room()
            with partial_of(self.path).open("r+b") as opened:
                for cube in self._cubes.values():
                    opened.seek(cube.offset - 8)
                    opened.write(struct.pack("<Q", cube.n_bytes))
                opened.seek(self._end)
                opened.write(TAIL)
            self._begun.note()
        except OSError as error:
            raise error if isinstance(error, OutputError) else cannot_write(self.path, error) from error

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Store the samples of a box, see `Writer`."""
        self._cubes[name].write(box, values)

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Do nothing: a picture has no trace headers."""

    def finish(self) -> tuple[Path, ...]:
        """Put the file in its place, see `Writer`."""
        try:
            os.replace(partial_of(self.path), self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._begun.forget()
        return (self.path,)

    def abandon(self) -> None:
        """Remove what was written."""
        self._begun.forget()
        partial_of(self.path).unlink(missing_ok=True)


def _vti_head(spec: Spec, axes: Sequence[Axis]) -> str:
    """Return all that stands before the samples; `axes` are three, the fastest first."""
    scales = [1e3 if axis.unit == "s" else 1.0 for axis in axes]
    first, step = (
        [float(f"{scale * value:.12g}") for scale, value in zip(scales, values, strict=True)]
        for values in ([axis.first for axis in axes], [axis.step or 1.0 for axis in axes])
    )
    extent = " ".join(f"0 {len(axis) - 1}" for axis in axes)
    n_bytes = 8 + 4 * len(axes[0]) * len(axes[1]) * len(axes[2])
    arrays = "\n".join(
        f'        <DataArray type="Float32" Name={quoteattr(name)} format="appended" offset="{k * n_bytes}"/>'
        for k, name in enumerate(spec.variables)
    )
    main = quoteattr(next(iter(spec.variables)))
    return f"""<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
  <ImageData WholeExtent="{extent}" Origin="{first[2]!r} {first[1]!r} {0.0 - first[0]!r}" \
Spacing="{" ".join(map(repr, step))}" Direction="{DIRECTION}">
    <Piece Extent="{extent}">
      <PointData Scalars={main}>
{arrays}
      </PointData>
      <CellData/>
    </Piece>
  </ImageData>
  <AppendedData encoding="raw">
   _"""


class NrrdWriter:
    """Writes a raw cube, its side-car, and headers beside it: result.raw, .json, .nhdr and .vgi."""

    def __init__(self, path: Path, spec: Spec, wanted: Wanted, *, raw: RawWriter | None = None) -> None:
        """Make room for the cube, see `RawWriter`; the grid has three axes of even steps at most.

        Args:
            path: of the header.
            spec: what the cube is.
            wanted: nothing that it has.
            raw: a writer of the cube that goes on with a partial one, see `resume`.
        Raises:
            OutputError: if the grid has more than three axes or uneven ones, or there is no room.
        """
        self.path, self.spec = Path(path), spec
        self._axes = _three_even_axes(self.path, spec.grid)
        self._raw = raw or RawWriter(self.path.with_suffix(".raw"), spec, wanted)
        self.grain = self._raw.grain
        self.write, self.write_traces, self.abandon = self._raw.write, self._raw.write_traces, self._raw.abandon

    @classmethod
    def resume(cls, path: Path, spec: Spec, wanted: Wanted) -> Self | None:
        """Return a writer that goes on with a partial cube, see `Format.resume`."""
        raw = RawWriter.resume(Path(path).with_suffix(".raw"), spec, wanted)
        return None if raw is None else cls(path, spec, wanted, raw=raw)

    def finish(self) -> tuple[Path, ...]:
        """Put the files in their places, see `Writer`; the header comes last."""
        cube, *more = self._raw.finish()
        vgi = self.path.with_suffix(".vgi")
        try:
            vgi.write_text(_vgi(cube.name, self._axes), encoding="utf-8")
            self.path.write_text(
                header_of(cube.name, self.spec.grid, next(iter(self.spec.variables))), encoding="utf-8"
            )
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return (self.path, cube, *more, vgi)


def _vgi(cube: str, axes: Sequence[Axis]) -> str:
    """Return a header of VGStudio, which has no published specification: the keys that its readers look for."""
    size = " ".join(str(len(axis)) for axis in axes)
    step = " ".join(f"{abs(axis.step or 1.0):g}" for axis in axes)
    return (
        "{volume1}\n[representation]\n"
        f"size = {size}\ndatatype = float\ndatarange = 0 -1\nbitsperelement = 32\n"
        f"[file1]\nSkipHeader = 0\nFileFormat = raw\nSize = {size}\nName = {cube}\nDatatype = float\n"
        "datarange = 0 -1\nBitsPerElement = 32\n"
        f"{{volumeprimitive12}}\n[geometry]\nresolution = {step}\nunit = mm\n"
    )


def _open_nrrd(path: Path, given: Given) -> Volume:
    """Return the volume of a detached NRRD header; `given` says nothing that it does not.

    Raises:
        DataError: if it is of another kind than raw float in one file, or that file has another size.
    """
    del given
    grid, said = read_header(path)
    cube = path.parent / said["data file"]
    name, beside = said.get("variable", AMPLITUDE), read_sidecar(cube.with_suffix(".json"))
    is_ours = beside is not None and beside.grid.shape == grid.shape and cube.name in beside.variables.values()
    sidecar = beside if beside is not None and is_ours else Sidecar(grid, said["endian"])
    one = Cube(cube, sidecar.grid.shape, sidecar.byte_order, int(said["byte skip"]))
    one.check_size()
    return RawVolume(path, sidecar, {name: one})


def _open_vti(path: Path, given: Given) -> Volume:
    del given
    raise DataError(f"{path}: VTK image data is only written. Open what it was made from, or a .nhdr")


def _create_vti(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    return VtiWriter(path, spec, wanted)


def _create_nrrd(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    return NrrdWriter(path, spec, wanted)


def _nrrd_files(path: Path, spec: Spec) -> list[Path]:
    del spec
    return [path.with_suffix(suffix) for suffix in (".nhdr", ".raw", ".vgi")]


VTI = Format("vti", (".vti",), _open_vti, _create_vti, resume=VtiWriter.resume)
NRRD = Format(
    "nrrd", (".nhdr",), _open_nrrd, _create_nrrd, holds_many=False, files=_nrrd_files, resume=NrrdWriter.resume
)
