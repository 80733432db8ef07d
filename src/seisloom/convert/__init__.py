"""Volumes from one format to another: what opens a file, what writes one, and what goes between."""

from seisloom.convert.boxes import copy
from seisloom.convert.conversion import Converted, convert, cut
from seisloom.convert.formats import format_of, formats, open_volume, report
from seisloom.convert.outputs import create_volume, file_each, resume_volume

__all__ = [
    "Converted", "convert", "copy", "create_volume", "cut", "file_each", "format_of", "formats", "open_volume",
    "report", "resume_volume",
]  # fmt: skip
