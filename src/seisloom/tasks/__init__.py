"""The rooms. They do not import each other."""
