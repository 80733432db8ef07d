"""Raw cubes of float32: one with its side-car (`volume`, `writer`), or many that are numbered (`patches`)."""
