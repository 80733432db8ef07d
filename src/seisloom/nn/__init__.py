"""Blocks and networks that know no task."""
