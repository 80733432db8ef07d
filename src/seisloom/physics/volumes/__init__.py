"""Folded, sheared and faulted volumes with all their labels, from one inverse map of coordinates."""
