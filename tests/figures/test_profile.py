"""Figures of profiles: steps that are those that were given, down to where the drawing ends."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from seisloom.errors import DataError
from seisloom.figures.profile import draw_profile


def test_a_profile_is_steps_with_its_band_down_to_the_half_space() -> None:
    edges, vs = np.array([0, 4, 12, np.inf]), np.array([150.0, 220, 400])
    figure = draw_profile(edges, vs, 0.9 * vs, 1.2 * vs, (np.array([0, 5, np.inf]), np.array([160.0, 380])), reach_m=10)
    (axes,) = figure.axes
    steps = {one.get_label(): one.get_data() for one in axes.patches if isinstance(one, StepPatch)}
    np.testing.assert_array_equal(steps["median"].values, vs)
    np.testing.assert_array_equal(steps["median"].edges, [0, 4, 12, 15])
    np.testing.assert_array_equal(steps["90 % interval"].baseline, 0.9 * vs)
    np.testing.assert_array_equal(steps["true profile"].edges, [0, 5, 15])
    assert axes.get_ylim() == (15, 0)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Vs (m/s)", "depth (m)")
    legend = [text.get_text() for one in figure.legends for text in one.get_texts()]
    assert legend == ["90 % interval", "true profile", "median", "below the data's reach, 10 m"]
    with pytest.raises(DataError, match="have 3 edges, not 4"):
        draw_profile(edges, vs[:2])


def test_a_profile_that_ends_is_not_drawn_farther() -> None:
    deep = (np.array([0, 40, np.inf]), np.array([200.0, 500]))
    figure = draw_profile(np.array([0, 10, 30.0]), np.array([200.0, 300]), truth=deep)
    figure.canvas.draw()
    assert figure.axes[0].get_ylim() == (30, 0)
