"""Whole records through a network that sees windows."""
