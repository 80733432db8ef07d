"""Synthetic pre-stack gathers by rays: shots, common receivers and common midpoints over a layered earth."""
