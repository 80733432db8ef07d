"""One augmentation library: what is drawn and what is applied stand apart, labels move with the data."""
