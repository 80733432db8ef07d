"""The rooms' demos: each the whole flow on a small example, from records to figures."""
