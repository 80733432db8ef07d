"""SEG-Y and SU as volumes: `index` finds the grid in the trace headers, `volume` reads, `plan` and `writer` write."""
