"""What ParaView is given, read by other means: XML and numbers behind it, and the fields of an NRRD header."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from seisloom.convert import convert, create_volume, open_volume
from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.grid import Axis, Grid, boxes, whole
from seisloom.io.volumes.volume import Spec
from seisloom.sample import Array

GRID = Grid(
    (
        Axis.regular("inline", 4, first=100, step=2),
        Axis.regular("crossline", 5, first=300),
        Axis.regular("time", 12, first=0.1, step=0.004, unit="s"),
    )
)
VALUES = np.random.default_rng(1).normal(size=GRID.shape).astype(np.float32)
F4 = np.dtype(np.float32)


def written(path: Path, names: tuple[str, ...] = ("amplitude",), grid: Grid = GRID, values: Array = VALUES) -> None:
    writer = create_volume(path, Spec(grid, dict.fromkeys(names, F4)))
    for k, name in enumerate(names):
        for box in boxes(grid.shape, (3, 4, 5)[: values.ndim]):
            writer.write(box, values[box] + k, name)
    writer.finish()


def read_vti(path: Path) -> tuple[ElementTree.Element, dict[str, Array]]:
    """Return the image of a file, and its arrays in the order they stand in."""
    content = path.read_bytes()
    head, _, behind = content.partition(b'<AppendedData encoding="raw">')
    root = ElementTree.fromstring(head + b"</VTKFile>")
    assert (root.attrib["byte_order"], root.attrib["header_type"]) == ("LittleEndian", "UInt64")
    assert behind.endswith(b"\n</AppendedData>\n</VTKFile>\n")
    body = behind[behind.index(b"_") + 1 :]
    arrays = {}
    for one in root.iter("DataArray"):
        first = int(one.attrib["offset"])
        n_bytes = int.from_bytes(body[first : first + 8], "little")
        arrays[one.attrib["Name"]] = np.frombuffer(body, "<f4", n_bytes // 4, first + 8)
    image = root.find("ImageData")
    assert image is not None
    return image, arrays


def numbers(text: str) -> Array:
    return np.array(text.split(), dtype=np.float64)


def test_a_vti_stands_upright(tmp_path: Path) -> None:
    written(tmp_path / "v.vti", ("amplitude", "fault"))
    image, arrays = read_vti(tmp_path / "v.vti")
    extent = numbers(image.attrib["WholeExtent"]).astype(int)
    n = extent[1::2] - extent[::2] + 1
    np.testing.assert_array_equal(n, GRID.shape[::-1])
    for k, name in enumerate(("amplitude", "fault")):
        np.testing.assert_array_equal(arrays[name], (VALUES + k).ravel())
    # VTK: point = origin + direction @ (spacing * ijk), i fastest
    turn = numbers(image.attrib["Direction"]).reshape(3, 3)
    assert np.linalg.det(turn) == pytest.approx(1)
    ijk = np.array([7, 3, 2])
    point = numbers(image.attrib["Origin"]) + turn @ (numbers(image.attrib["Spacing"]) * ijk)
    np.testing.assert_allclose(point, [104, 303, -(0.1 + 7 * 0.004) * 1e3])
    assert arrays["amplitude"][ijk @ [1, n[0], n[0] * n[1]]] == VALUES[2, 3, 7]


def test_a_line_is_a_picture_too(tmp_path: Path) -> None:
    line = Grid(GRID.axes[1:])
    written(tmp_path / "v.vti", grid=line, values=VALUES[0])
    image, arrays = read_vti(tmp_path / "v.vti")
    assert image.attrib["WholeExtent"] == "0 11 0 4 0 0"
    np.testing.assert_array_equal(arrays["amplitude"], VALUES[0].ravel())
    with pytest.raises(DataError, match="only written"):
        open_volume(tmp_path / "v.vti")


def test_nrrd_comes_back_with_side_car_and_vgi(tmp_path: Path) -> None:
    written(tmp_path / "v.nhdr")
    assert {one.suffix for one in tmp_path.iterdir()} == {".nhdr", ".raw", ".json", ".vgi"}
    np.testing.assert_array_equal(np.fromfile(tmp_path / "v.raw", "<f4").reshape(GRID.shape), VALUES)
    lines = (tmp_path / "v.nhdr").read_text().splitlines()
    fields = dict(line.split(": ", 1) for line in lines[1:] if ":=" not in line)
    assert fields["sizes"] == "12 5 4"
    assert fields["data file"] == "v.raw"
    assert "Size = 12 5 4" in (tmp_path / "v.vgi").read_text()
    assert json.loads((tmp_path / "v.json").read_text())["n"] == [12, 5, 4]
    for with_json in (True, False):
        if not with_json:
            (tmp_path / "v.json").unlink()
        volume = open_volume(tmp_path / "v.nhdr")
        assert volume.spec.grid.names == GRID.names
        assert volume.spec.grid["time"].unit == "s"
        for ours, theirs in zip(volume.spec.grid.axes, GRID.axes, strict=True):
            np.testing.assert_allclose(ours.values, theirs.values)
        np.testing.assert_array_equal(volume.read(whole(GRID.shape)), VALUES)


def test_several_variables_have_a_header_each(tmp_path: Path) -> None:
    written(tmp_path / "r.nhdr", ("fault", "rgt"))
    for k, name in enumerate(("fault", "rgt")):
        volume = open_volume(tmp_path / f"r_{name}.nhdr")
        np.testing.assert_array_equal(volume.read(whole(GRID.shape), name), VALUES + k)


def test_headers_of_others_are_read_or_refused(tmp_path: Path) -> None:
    header = tmp_path / "o.nhdr"
    (tmp_path / "o.img").write_bytes(b"12345678" + VALUES.astype(">f4").tobytes())
    head = "NRRD0005\n# theirs\ndimension: 3\nsizes: 12 5 4\nendian: big\nbyte skip: 8\ndata file: o.img\n"
    header.write_text(head + "type: float\nencoding: raw\n")
    volume = open_volume(header)
    assert volume.spec.grid.names == ("inline", "crossline", "sample")
    np.testing.assert_array_equal(volume.read(whole(GRID.shape)), VALUES)
    for text, said in (
        (head + "type: short\nencoding: raw\n", "type is 'short'"),
        (head + "type: float\nencoding: gzip\n", "encoding is 'gzip'"),
        (head.replace("sizes: 12 5 4\n", "") + "type: float\nencoding: raw\n", "no detached NRRD header"),
        (head.replace("12 5 4", "12 5 5") + "type: float\nencoding: raw\n", r"has 968 bytes.*need 1208"),
        ("P5\n", "does not begin with NRRD"),
    ):
        header.write_text(text)
        with pytest.raises(DataError, match=said):
            open_volume(header)


def test_what_is_no_picture_is_refused_and_nothing_is_replaced(tmp_path: Path) -> None:
    uneven = Grid((GRID.axes[0], Axis("offset", np.array([1.0, 2, 4])), GRID.axes[2]))
    gathers = Grid((Axis.regular("shot", 2), *GRID.axes))
    for grid, said in ((uneven, "steps of offset differ"), (gathers, "there are 4 axes")):
        for name in ("v.vti", "v.nhdr"):
            with pytest.raises(OutputError, match=said):
                create_volume(tmp_path / name, Spec(grid, {"amplitude": F4}))
    assert not list(tmp_path.iterdir())
    (tmp_path / "v.raw").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"v\.raw: is there already"):
        create_volume(tmp_path / "v.nhdr", Spec(GRID, {"amplitude": F4}))
    writer = create_volume(tmp_path / "v.vti", Spec(GRID, {"amplitude": F4}))
    writer.abandon()
    assert [one.name for one in tmp_path.iterdir()] == ["v.raw"]


def test_a_survey_goes_to_paraview(tmp_path: Path) -> None:
    survey = Path(__file__).parents[2] / "data" / "mdio_v1" / "small.sgy"
    convert(survey, tmp_path / "s.vti")
    _, arrays = read_vti(tmp_path / "s.vti")
    opened = open_volume(survey)
    np.testing.assert_array_equal(arrays["amplitude"], opened.read(whole(opened.spec.grid.shape)).ravel())
