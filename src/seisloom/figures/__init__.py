"""Figures from arrays, with Matplotlib."""
