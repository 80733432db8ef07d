"""Picking: onsets on traces and gathers, with calibrated intervals."""
