"""Restoration: missing traces filled, noise taken off, amplitudes kept."""
