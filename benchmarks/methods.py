"""Methods as they are named on the command line of a benchmark: a bundle or a classical method, and keys of `apply`."""

from __future__ import annotations

from dataclasses import replace

from seisloom.bundle import Opened, open_predictor


def opened(text: str, *changes: str) -> Opened:
    """Return a method with its keys, path:views=4,overlap=0.5, and with these changes, under the name that it has."""
    name, _, keys = text.partition(":")
    return replace(open_predictor(name).with_changes(*changes, *filter(None, keys.split(","))), name=text)
