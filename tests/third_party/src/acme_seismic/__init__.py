"""Parts for seisloom from outside of it."""
