"""Losses that know no task."""
