"""Statistics gathered in parts: the same for any cut and any order, and those of the data."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seisloom.signal.sketch import AmplitudeSketch, ExactSum

finite = st.floats(-1e300, 1e300)


@given(st.lists(finite, max_size=40), st.integers(0, 40))
def test_an_exact_sum_is_that_of_fractions_in_any_parts(values: list[float], cut: int) -> None:
    one, two = ExactSum(), ExactSum()
    one.add(np.array(values[cut:]))
    two.add(np.array(values[:cut]))
    one.join(two)
    assert float(one) == float(sum(map(Fraction, values), Fraction(0)))


@given(
    hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
    st.sampled_from([0.0, 0.005, 0.3, 0.5, 0.995, 1.0]),
)
def test_quantiles_are_those_of_the_data(values: np.ndarray, share: float) -> None:  # type: ignore[type-arg]
    sketch = AmplitudeSketch()
    sketch.add(values[::2])
    other = AmplitudeSketch()
    other.add(values[1::2])
    sketch.join(other)
    assert sketch.n == values.size
    truth = float(np.sort(values)[max(0, math.ceil(share * values.size) - 1)])
    assert sketch.quantile(share) == pytest.approx(truth, rel=1.1e-3, abs=1e-37)


def test_nothing_has_no_quantile() -> None:
    assert math.isnan(AmplitudeSketch().quantile(0.5))
