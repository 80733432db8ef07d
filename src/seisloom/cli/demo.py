"""`seisloom demo`: the whole flow on a small example."""

from __future__ import annotations


def demo() -> None:
    """The whole flow on a small example."""
