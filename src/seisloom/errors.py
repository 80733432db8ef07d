"""Errors of seisloom: each is ours and also a standard one, and says what, where and how to mend."""

from __future__ import annotations


class SeisloomError(Exception):
    """The root of all errors that a user can cause and mend; the command prints them on one line."""


class DataError(SeisloomError, ValueError):
    """A file or an array is not what it claims to be."""


class MissingDataError(SeisloomError, FileNotFoundError):
    """A file or folder that is needed is not there."""


class SchemaError(SeisloomError, ValueError):
    """Arrays do not fit the fields that were promised."""


class RecipeError(SeisloomError, ValueError):
    """A recipe has mistakes; all of them are listed, each with its path."""


class SplitError(SeisloomError, ValueError):
    """The groups cannot be parted as asked."""


class CalibrationError(SeisloomError, ValueError):
    """There is too little, or nothing, to calibrate on."""


class BundleError(SeisloomError, ValueError):
    """A folder is not a bundle, or the bundle does not fit its use."""


class PluginError(SeisloomError, LookupError):
    """A name is not known, known twice, or its package does not load."""


class OutputError(SeisloomError, OSError):
    """An output cannot be written, or is there already and not ours to replace."""


class TrainingError(SeisloomError, RuntimeError):
    """Training cannot go on; what was reached so far is kept."""


class LeftOut(SeisloomError):  # noqa: N818  not a failure: a sample that is left out, with its reason
    """Raised by `read` for a sample that does not qualify; the caller counts the reasons."""
