"""Records of stations: miniSEED and SAC, catalogues beside them, QuakeML, SeisBench's HDF5, pickled events."""
