"""Names and layout of MDIO v1, the cloud format of TGS: what stands where in a Zarr group.

Source: MDIO v1 specification and its reference package `multidimio` 1.1 (Apache-2.0), mdio-python.readthedocs.io.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from seisloom.io.segy.layout import BINARY, TEXT, TRACE_HEADER
from seisloom.io.volumes.grid import VERTICAL, Axis, Grid
from seisloom.io.volumes.volume import SegyFrame
from seisloom.sample import Array

MASK, HEADERS, RAW_HEADERS, X, Y = "trace_mask", "headers", "raw_headers", "cdp_x", "cdp_y"
FILE_HEADER = "segy_file_header"
NUMBER = "segy_trace_number"
"""Place of each trace in its SEG-Y file, from 0; ours, MDIO keeps traces in the order of the grid."""
CHUNKS = {
    ("cdp", "time"): (1024, 1024),
    ("inline", "crossline", "time"): (128, 128, 128),
    ("cdp", "offset", "time"): (16, 64, 1024),
    ("shot_point", "channel", "time"): (16, 32, 2048),
    ("inline", "crossline", "offset", "time"): (8, 8, 32, 512),
}
"""Chunks of MDIO's templates, by axes; depth has those of time."""
CHUNK_VALUES = 1 << 21
"""Samples of a chunk where MDIO has no template for the axes."""

TRACE_WORDS = """
trace_seq_num_line i4 trace_seq_num_reel i4 orig_field_record_num i4 trace_num_orig_record i4
energy_source_point_num i4 ensemble_num i4 trace_num_ensemble i4 trace_id_code i2 vertically_summed_traces i2
horizontally_stacked_traces i2 data_use i2 source_to_receiver_distance i4 receiver_group_elevation i4
source_surface_elevation i4 source_depth_below_surface i4 receiver_datum_elevation i4 source_datum_elevation i4
source_water_depth i4 receiver_water_depth i4 elevation_depth_scalar i2 coordinate_scalar i2 source_coord_x i4
source_coord_y i4 group_coord_x i4 group_coord_y i4 coordinate_unit i2 weathering_velocity i2
subweathering_velocity i2 source_uphole_time i2 group_uphole_time i2 source_static_correction i2
receiver_static_correction i2 total_static_applied i2 lag_time_a i2 lag_time_b i2 delay_recording_time i2
mute_time_start i2 mute_time_end i2 samples_per_trace i2 sample_interval i2 instrument_gain_type i2
instrument_gain_const i2 instrument_gain_initial i2 correlated_data i2 sweep_freq_start i2 sweep_freq_end i2
sweep_length i2 sweep_type i2 sweep_taper_start i2 sweep_taper_end i2 taper_type i2 alias_filter_freq i2
alias_filter_slope i2 notch_filter_freq i2 notch_filter_slope i2 low_cut_freq i2 high_cut_freq i2 low_cut_slope i2
high_cut_slope i2 year_recorded i2 day_of_year i2 hour_of_day i2 minute_of_hour i2 second_of_minute i2
time_basis_code i2 trace_weighting_factor i2 group_num_roll_switch i2 group_num_first_trace i2
group_num_last_trace i2 gap_size i2 taper_overtravel i2 cdp_x i4 cdp_y i4 inline i4 crossline i4 shot_point i4
shot_point_scalar i2 trace_value_unit i2 transduction_const_mantissa i4 transduction_const_exponent i2
transduction_unit i2 device_trace_id i2 times_scalar i2 source_type_orientation i2 source_energy_dir_mantissa i4
source_energy_dir_exponent i2 source_measurement_mantissa i4 source_measurement_exponent i2
source_measurement_unit i2
"""
"""MDIO's names of the SEG-Y rev 1 trace header words, side by side from byte 1 on."""


def header_type(*, little_endian: bool | None = None) -> np.dtype[Any]:  # Any: a structure
    """Return the type of `headers`: native numbers, or with a byte order how they stand in a file's 240 bytes."""
    words = TRACE_WORDS.split()
    names, kinds = words[::2], words[1::2]
    if little_endian is None:
        return np.dtype(list(zip(names, kinds, strict=True)))
    order = "<" if little_endian else ">"
    formats = [order + kind for kind in kinds]
    ends = np.cumsum([np.dtype(kind).itemsize for kind in kinds])
    offsets = [0, *ends[:-1].tolist()]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": TRACE_HEADER})


def words_of(headers: Array, *, little_endian: bool) -> Array:
    """Return trace headers as the structure of `headers`.

    Args:
        headers: as they stand in a file, uint8 (..., 240).
        little_endian: byte order of the file.
    """
    stored = np.ascontiguousarray(headers).view(header_type(little_endian=little_endian))[..., 0]
    return np.asarray(stored.astype(header_type()))


def bytes_of(words: Array) -> Array:
    """Return a structure of `headers` as big-endian trace headers, uint8 (..., 240); names that are not MDIO's own for
    SEG-Y rev 1 have no place in them."""
    stored = np.zeros(words.shape, dtype=header_type(little_endian=False))
    for name in set(stored.dtype.names or ()) & set(words.dtype.names or ()):
        stored[name] = words[name]
    return stored[..., None].view(np.uint8).reshape(*words.shape, TRACE_HEADER)


def chunks_for(grid: Grid) -> tuple[int, ...]:
    """Return MDIO's chunks for the axes of a grid, cut to its lengths; cubes of 2 M samples for other axes."""
    names = tuple("time" if name in VERTICAL else name for name in grid.names)
    even = round(CHUNK_VALUES ** (1 / len(names)))
    chunks = CHUNKS.get(names, (even,) * len(names))
    return tuple(min(chunk, n) for chunk, n in zip(chunks, grid.shape, strict=True))


def stored_axis(axis: Axis) -> tuple[Array, dict[str, Any]]:  # Any: JSON values
    """Return the coordinates of an axis as MDIO stores them, times in ms, and the attributes that say so."""
    values, units = axis.values, {}
    if axis.unit == "s":
        values, units = axis.values * 1e3, {"unitsV1": {"time": "ms"}}
        whole = np.round(values)
        values = whole if np.allclose(values, whole, rtol=0, atol=1e-6) else values
    elif axis.unit == "m":
        units = {"unitsV1": {"length": "m"}}
    limits = np.iinfo(np.int32)
    fits = np.all(values == np.round(values)) and values.min() > limits.min and values.max() < limits.max
    return values.astype(np.int32 if fits else np.float64), units


LENGTHS_M = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344}
TIMES_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def axis_from(name: str, values: Array, attributes: Mapping[str, Any]) -> Axis:  # Any: JSON values
    """Return the axis of stored coordinates, times in s and lengths in m; MDIO's `time` is in ms where nothing is
    said, and its `depth` in m."""
    said = attributes.get("unitsV1") or {}
    if name == "time" or "time" in said:
        return Axis(name, values * TIMES_S.get(str(said.get("time", "ms")), 1e-3), "s")
    if name == "depth" or "length" in said:
        return Axis(name, values * LENGTHS_M.get(str(said.get("length", "m")), 1.0), "m")
    return Axis(name, values)


def stored_frame(frame: SegyFrame) -> dict[str, Any]:  # Any: JSON values
    """Return the attributes of `segy_file_header`: MDIO's own, and the bytes of the file around its traces."""
    text, binary = frame.head[:TEXT], frame.head[TEXT : TEXT + BINARY]
    return {
        "textHeader": readable_text(text),
        "binaryHeader": _binary_words(binary, little_endian=frame.little_endian),
        "rawBinaryHeader": base64.b64encode(binary).decode(),
        "rawFileHead": base64.b64encode(frame.head).decode(),
        "rawFileTail": base64.b64encode(frame.tail).decode(),
        "formatCode": frame.format_code,
        "littleEndian": frame.little_endian,
        "nTraces": frame.n_traces,
    }


def frame_from(said: Mapping[str, Any], n_traces: int) -> SegyFrame | None:  # Any: JSON values
    """Return the frame of a file from the attributes of `segy_file_header`; None where they do not have its bytes.

    multidimio keeps the binary header byte for byte where it was asked to, and the text as text: that is encoded in
    EBCDIC again, which is what it was in nearly all files.
    """
    if "rawFileHead" in said:
        return SegyFrame(
            head=base64.b64decode(said["rawFileHead"]),
            tail=base64.b64decode(said.get("rawFileTail", "")),
            format_code=int(said["formatCode"]),
            little_endian=bool(said["littleEndian"]),
            n_traces=n_traces,
        )
    if "rawBinaryHeader" not in said or "textHeader" not in said:
        return None
    binary = base64.b64decode(said["rawBinaryHeader"])
    rows = [row.ljust(80)[:80] for row in str(said["textHeader"]).splitlines()]
    text = "".join((rows + [" " * 80] * 40)[:40]).encode("cp037", errors="replace")
    return SegyFrame(text + binary, b"", int.from_bytes(binary[24:26], "big"), little_endian=False, n_traces=n_traces)


def readable_text(text: bytes) -> str:
    """Return a text header of 3200 bytes as 40 lines of 80, from EBCDIC or ASCII, whichever it is in."""
    decoded = text.decode("cp037") if text[:1] in (b"\xc3", b"\x40") else text.decode("latin-1")
    printable = "".join(one if one.isprintable() else " " for one in decoded)
    return "\n".join(printable[row : row + 80] for row in range(0, len(printable), 80))


BINARY_WORDS = """
job_id i4 line_num i4 reel_num i4 data_traces_per_ensemble i2 aux_traces_per_ensemble i2 sample_interval i2
orig_sample_interval i2 samples_per_trace i2 orig_samples_per_trace i2 data_sample_format i2 ensemble_fold i2
trace_sorting_code i2 vertical_sum_code i2 sweep_freq_start i2 sweep_freq_end i2 sweep_length i2 sweep_type_code i2
sweep_trace_num i2 sweep_taper_start i2 sweep_taper_end i2 taper_type_code i2 correlated_data_code i2
binary_gain_code i2 amp_recovery_code i2 measurement_system_code i2 impulse_polarity_code i2
vibratory_polarity_code i2
"""
"""MDIO's names of the words of the binary header, side by side from its first byte on."""


def _binary_words(binary: bytes, *, little_endian: bool) -> dict[str, int]:
    words = BINARY_WORDS.split()
    order = "<" if little_endian else ">"
    kind = np.dtype([(name, order + one) for name, one in zip(words[::2], words[1::2], strict=True)])
    binary = binary.ljust(BINARY, b"\0")  # SU has none
    found = np.frombuffer(binary, kind, count=1)[0]
    revision, fixed, extended = (int(one) for one in np.frombuffer(binary, order + "u2", count=3, offset=300))
    said = {name: int(found[name]) for name in kind.names or ()}
    return {
        **said, "segy_revision_major": revision >> 8, "segy_revision_minor": revision & 0xFF,
        "fixed_length_trace_flag": fixed, "num_extended_text_headers": extended,
    }  # fmt: skip
