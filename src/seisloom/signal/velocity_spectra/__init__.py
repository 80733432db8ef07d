"""Velocity spectra: from a gather to how much of it travels with which phase velocity at which frequency."""
