"""Volumes of any size in several formats, behind one face: read by boxes, written by boxes."""
