"""Attributes made better: a first guess, the network that corrects it, and how that is put behind another network."""
