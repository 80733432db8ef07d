"""Surface waves of layered media: modes with proof that none is missing, what they carry, and the whole wavefield."""
