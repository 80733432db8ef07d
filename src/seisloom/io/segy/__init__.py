"""SEG-Y: headers without traces, traces without headers, and writing both.

Headers are read through one memory-mapped view over the file; see `seisloom.io.segy.layout`.
"""

from seisloom.io.segy.headers import (
    SHOT_WORDS,
    TRACES_AT_ONCE,
    SegyHeaders,
    headers_from,
    headers_of,
    read_headers,
    read_word,
)
from seisloom.io.segy.places import DEGREES, METERS_IN_A_FOOT, PLACES, scale
from seisloom.io.segy.traces import SegyTraces, cached_traces
from seisloom.io.segy.write import delay_words, file_headers, whole_interval_us, write_segy

__all__ = [
    "DEGREES", "METERS_IN_A_FOOT", "PLACES", "SHOT_WORDS", "TRACES_AT_ONCE", "SegyHeaders", "SegyTraces",
    "cached_traces", "delay_words", "file_headers", "headers_from", "headers_of", "read_headers", "read_word", "scale",
    "whole_interval_us", "write_segy",
]  # fmt: skip
