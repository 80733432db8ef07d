"""Interpretation: faults with dip and strike, relative geological time, and a denoised image, from volumes."""
