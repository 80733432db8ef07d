"""What a feature of a record is: its name, its unit, and how it is defined."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a record."""

    name: str
    unit: str
    doc: str
