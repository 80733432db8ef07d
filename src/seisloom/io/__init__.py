"""Reading and writing the files of the field: one module a format, `read_*` beside `write_*`."""
