"""Zarr with the names and layout of MDIO v1, which `mdio` knows."""
