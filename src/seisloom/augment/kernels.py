"""Compiled loops that read traces between their samples.

torch has no such operation: by `embedding_bag` it takes many times as long for three channels, since it writes and
reads an index and a weight for each of twelve samples. With gradients, and on a GPU, that is what is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

from seisloom.sample import Array

if TYPE_CHECKING:
    from torch import Tensor

HALF = 6
"""Samples on each side of a place that its value is made of."""
WIDTH = 4
"""Numbers that one instruction multiplies; twelve samples are three of them."""


def _product(
    context: Any, x: Any, first: Any, weights: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:  # Any: of Numba
    """Return the sum of 2 HALF numbers of `x` from `first` on times those of `weights` from `row` on, flat float32.

    In vector instructions by name: Numba's compiler makes none of a sum of twelve, and takes three times as long.
    """

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # Any: LLVM's values
        vector, whole = ir.VectorType(ir.FloatType(), WIDTH), ir.IntType(32)

        def load(name: int, part: int) -> Any:
            data = context.make_array(signature.args[name])(context, builder, given[name]).data
            place = given[name + 1]
            start = builder.gep(data, [builder.add(place, ir.Constant(place.type, WIDTH * part))])
            return builder.load(builder.bitcast(start, vector.as_pointer()), align=4)

        def half(found: Any, order: list[int]) -> Any:
            of = ir.Constant(ir.VectorType(whole, WIDTH), order)
            return builder.fadd(found, builder.shuffle_vector(found, ir.Constant(vector, ir.Undefined), of))

        total = builder.fmul(load(0, 0), load(2, 0))
        for part in range(1, 2 * HALF // WIDTH):
            product = builder.fmul(load(0, part), load(2, part), flags=("contract",))
            total = builder.fadd(total, product, flags=("contract",))
        return builder.extract_element(half(half(total, [2, 3, 2, 3]), [1, 1, 1, 1]), ir.Constant(whole, 0))

    return types.float32(x, first, weights, row), write


_dot: Any = intrinsic(_product)  # Any: Numba gives it the first argument


@njit(cache=True, nogil=True)
def _neighbours(places: Array, n_time: int, n_phase: int, first: Array, phase: Array) -> int:
    """Fill in where the samples around each place begin in a padded trace, and their weights; count places outside."""
    n_lost = 0
    for j in range(len(places)):
        place = places[j]
        before = np.floor(place)
        phase[j] = 2 * HALF * np.int64((place - before) * n_phase + 0.5)
        first[j] = np.int64(min(max(before, -HALF - 1.0), n_time + HALF - 1.0)) + HALF + 1
        n_lost += not (place >= -0.5 and place < n_time - 0.5)
    return n_lost


@njit(cache=True, nogil=True)
def _lose(places: Array, n_time: int, outside: np.float32, new: Array) -> None:
    """Write what lies outside of a record to those places that do."""
    for j in range(len(places)):
        if not (places[j] >= -0.5 and places[j] < n_time - 0.5):
            new[j] = outside


@njit(cache=True, nogil=True)
def read_traces(padded: Array, places: Array, weights: Array, outside: np.float32, found: Array) -> None:
    """Fill `found` with traces read at places between samples.

    Args:
        padded: float32 (item, trace, time + 4 HALF), contiguous, 2 HALF zeros before and after each trace.
        places: in samples of the trace without zeros, float64 (item, new time), the same for all traces of an item.
        weights: float32 (phase, 2 HALF), of the samples around a place, for phases 0 to 1.
        outside: what lies beyond half a sample before the first and after the last.
        found: float32 (item, trace, new time); written to.
    """
    n_item, n_trace, n_padded = padded.shape
    n_new, n_time, n_phase = places.shape[1], n_padded - 4 * HALF, weights.shape[0] - 1
    first, phase = np.empty(n_new, np.int64), np.empty(n_new, np.int64)
    flat, of = padded.ravel(), weights.ravel()
    for item in range(n_item):
        n_lost = _neighbours(places[item], n_time, n_phase, first, phase)
        for trace in range(n_trace):
            start, new = (item * n_trace + trace) * n_padded, found[item, trace]
            for j in range(n_new):
                new[j] = _dot(flat, start + first[j], of, phase[j])
            if n_lost > 0:
                _lose(places[item], n_time, outside, new)


@njit(cache=True, nogil=True)
def move_traces(x: Array, rows: Array, scale: Array, shift: Array, weights: Array, outside: np.float32) -> None:
    """Write to sample j of traces what stood at `scale * j + shift`, read as `read_traces` does.

    Args:
        x: float32 (item, trace, time), contiguous; written to.
        rows: items that move, int64 (row,); each once.
        scale, shift: of each of these, float64 (row,); a mirror or a shift by whole samples copies.
        weights, outside: as for `read_traces`.
    """
    n_time, n_phase = x.shape[2], weights.shape[0] - 1
    first, phase = np.empty(n_time, np.int64), np.empty(n_time, np.int64)
    padded, places, of = np.zeros(n_time + 4 * HALF, np.float32), np.empty(n_time), weights.ravel()
    old = padded[2 * HALF : n_time + 2 * HALF]
    for k in range(len(rows)):
        item = x[rows[k]]
        if shift[k] == np.floor(shift[k]) and scale[k] == 1.0:
            begin = np.int64(min(max(-shift[k], 0.0), float(n_time)))
            end = np.int64(max(min(n_time - shift[k], float(n_time)), float(begin)))
            for trace in range(item.shape[0]):
                old[:] = item[trace]
                item[trace, :begin] = outside
                item[trace, end:] = outside
                if begin < end:
                    item[trace, begin:end] = old[begin + int(shift[k]) : end + int(shift[k])]
            continue
        for j in range(n_time):
            places[j] = j * scale[k] + shift[k]
        is_mirror = shift[k] == np.floor(shift[k]) and scale[k] == -1.0
        n_lost = _neighbours(places, n_time, n_phase, first, phase)
        for trace in range(item.shape[0]):
            new = item[trace]
            old[:] = new
            for j in range(n_time):
                new[j] = padded[first[j] + HALF - 1] if is_mirror else _dot(padded, first[j], of, phase[j])
            if n_lost > 0:
                _lose(places, n_time, outside, new)


def is_plain(x: Tensor | None) -> bool:
    """Return whether a tensor is data that compiled loops take: float32 on a CPU, without gradients."""
    import torch

    return x is not None and x.device.type == "cpu" and x.dtype == torch.float32 and not x.requires_grad
