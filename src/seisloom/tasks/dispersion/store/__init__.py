"""Records on disk: written once, listed in a manifest, found again, and checked."""
