"""What a user may say of a volume that its file does not say: the same options for every command that opens one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal

import typer

_OPTIONS: dict[str, tuple[Any, str]] = {  # Any: types of values
    "inline_byte": (int, "SEG-Y: first byte of the inline number in a trace header, 1 to 237."),
    "crossline_byte": (int, "SEG-Y: first byte of the crossline number."),
    "offset_byte": (int, "SEG-Y: first byte of the number of a third axis, for gathers."),
    "x_byte": (int, "SEG-Y: first byte of the CDP x coordinate."),
    "y_byte": (int, "SEG-Y: first byte of the CDP y coordinate."),
    "n1": (int, "Raw or NumPy cube: samples along time or depth, of a raw cube the fastest axis."),
    "n2": (int, "Raw or NumPy cube: crosslines, of a section its traces."),
    "n3": (int, "Raw or NumPy cube: inlines."),
    "byte_order": (Literal["little", "big"], "Raw cube: order of the bytes."),
}


def takes_given(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with these options in place of its parameter `given`, a `seisloom.volume.Given`."""

    @wraps(command)
    def with_options(**values: Any) -> None:  # Any: values of options
        from seisloom.io.volumes.volume import Given

        command(given=Given(**{name: values.pop(name) for name in _OPTIONS}), **values)

    signature = inspect.signature(command, eval_str=True)
    own = [one.replace(kind=one.KEYWORD_ONLY) for one in signature.parameters.values() if one.name != "given"]
    more = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind | None, typer.Option(help=said)],
        )
        for name, (kind, said) in _OPTIONS.items()
    ]
    with_options.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return with_options
