"""Figures of velocity spectra: what is drawn is what was given, and the legend says how."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.dispersion import draw_dispersion
from seisloom.figures.dispersion_modes import COLOURS, KINDS
from seisloom.signal.velocity_spectra.limits import ArrayLimits

F, C = np.linspace(5.0, 50, 10), np.linspace(100.0, 900, 33)
SPECTRUM = np.random.default_rng(0).random((33, 10))
CURVES = np.stack([np.linspace(400, 200, 10), np.linspace(850, 500, 10)])
AXES = {"frequency_hz": F, "velocity_m_s": C}


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def flags(**changes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> dict[str, np.ndarray]:
    good = {"resolved": np.ones(CURVES.shape, np.uint8), "excited": np.ones(CURVES.shape, np.uint8)}
    return {**good, "aliased": np.zeros(CURVES.shape, np.uint8), **changes}


def test_the_spectrum_lies_on_its_own_axes() -> None:
    figure = draw_dispersion(SPECTRUM, **AXES, title="record a")
    axes = figure.axes[0]
    (image,) = (one for one in axes.collections if isinstance(one, QuadMesh))
    np.testing.assert_array_equal(np.asarray(image.get_array()), SPECTRUM)
    middles = image.get_coordinates()[:-1, :-1] + np.array([2.5, 12.5])  # half a step of each axis
    np.testing.assert_allclose(middles, np.stack(np.meshgrid(F, C), axis=-1))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frequency (Hz)", "phase velocity (m/s)")
    assert (axes.get_xlim(), axes.get_ylim()) == ((5, 50), (100, 900))
    assert axes.get_title(loc="left") == "record a"
    assert not figure.legends


def test_a_curve_without_flags_is_solid_and_ends_where_the_mode_does() -> None:
    curves = CURVES.copy()
    curves[1, :4] = np.nan
    figure = draw_dispersion(SPECTRUM, **AXES, curves=curves)
    first, second = figure.axes[0].lines
    np.testing.assert_array_equal(first.get_xydata(), np.c_[F, CURVES[0]])
    np.testing.assert_array_equal(second.get_xydata(), np.c_[F, CURVES[1]][4:])
    assert [first.get_color(), second.get_color()] == list(COLOURS[:2])
    assert legend_of(figure) == ["mode 0 (fundamental)", "mode 1"]


def test_line_styles_tell_the_flags_and_the_legend_what_they_mean() -> None:
    resolved, excited, aliased = (one.copy() for one in flags().values())
    resolved[0, 3:6] = 0
    excited[0, 5:7] = 0  # 5 is neither resolved nor excited
    aliased[1, 8:] = 1
    figure = draw_dispersion(
        SPECTRUM, **AXES, curves=CURVES, flags=flags(resolved=resolved, excited=excited, aliased=aliased)
    )
    drawn = [
        (line.get_color(), line._unscaled_dash_pattern[1], line.get_xdata().tolist())  # get_linestyle names no patterns
        for line in figure.axes[0].lines
    ]
    solid, dashed, dotted = (None, *(style[1] for _, style in KINDS[1:]))
    assert drawn == [
        (COLOURS[0], solid, F[:3].tolist()), (COLOURS[0], dashed, F[2:5].tolist()),
        (COLOURS[0], dotted, F[4:8].tolist()), (COLOURS[0], solid, F[7:].tolist()),
        (COLOURS[1], solid, F[:8].tolist()), (COLOURS[1], dotted, F[7:].tolist()),
    ]  # fmt: skip
    assert legend_of(figure) == ["mode 0 (fundamental)", "mode 1", *(label for label, _ in KINDS)]


def test_the_legend_names_only_what_is_in_view() -> None:
    above = np.stack([CURVES[0], np.full(10, 1000.0)])
    figure = draw_dispersion(SPECTRUM, **AXES, curves=above, flags=flags())
    assert legend_of(figure) == ["mode 0 (fundamental)", "resolved and excited"]


def test_limits_of_the_array_are_lines_of_one_wavelength() -> None:
    limits = ArrayLimits(length_m=46.0, spacing_m=2.0, mean_offset_m=30.0)
    figure = draw_dispersion(SPECTRUM, **AXES, limits=limits)
    lines = figure.axes[0].lines
    wavelengths = [line.get_ydata() / F for line in lines]
    np.testing.assert_allclose(wavelengths, np.broadcast_to([[46.0], [4.0], [30.0]], (3, 10)))
    assert legend_of(figure) == [
        "wavelength 46 m, the array's length", "wavelength 4 m, twice the spacing", "wavelength 30 m, NACD 1",
    ]  # fmt: skip
    far = ArrayLimits(length_m=1000.0, spacing_m=0.1, mean_offset_m=700.0)
    assert not draw_dispersion(SPECTRUM, **AXES, limits=far).axes[0].lines


def test_picks_have_dots_and_bars_where_they_are() -> None:
    picks = CURVES.copy()
    picks[0, 2] = np.nan
    figure = draw_dispersion(SPECTRUM, **AXES, picks=picks, lower=picks - 20, upper=picks + 30, pick_label="argmax")
    dots = figure.axes[0].lines
    np.testing.assert_array_equal(dots[0].get_xydata(), np.delete(np.c_[F, picks[0]], 2, axis=0))
    bars = [one for one in figure.axes[0].collections if isinstance(one, LineCollection)]
    ends = np.array([segment[:, 1] for segment in bars[1].get_segments()])
    np.testing.assert_allclose(ends, np.c_[picks[1] - 20, picks[1] + 30])
    assert legend_of(figure) == ["mode 0 (fundamental)", "mode 1", "argmax", "90 % interval"]
    assert legend_of(draw_dispersion(SPECTRUM, **AXES, picks=picks)) == ["mode 0 (fundamental)", "mode 1", "pick"]


def test_masks_are_white_where_they_are_zero_and_mix_where_they_overlap() -> None:
    masks = np.zeros((2, 33, 10))
    masks[0, 4], masks[:, 9] = 1, 1
    figure = draw_dispersion(SPECTRUM, **AXES, masks=masks)
    (image,) = (one for axes in figure.axes if axes.get_title(loc="left") for one in axes.collections)
    rgb = np.asarray(image.get_array()).reshape(33, 10, -1)[..., :3]
    assert (rgb[0] == 1).all()
    assert (rgb[4] < 1).any()
    assert (rgb[9] <= rgb[4]).all()


def test_figures_are_drawn_without_warnings(recwarn: pytest.WarningsRecorder) -> None:
    nothing = np.full(CURVES.shape, np.nan)
    draw_dispersion(
        np.full(SPECTRUM.shape, np.nan),
        **AXES,
        curves=nothing,
        flags=flags(),
        picks=nothing,
        masks=np.zeros((1, 33, 10)),
    ).canvas.draw()
    draw_dispersion(np.zeros(SPECTRUM.shape), **AXES, curves=np.zeros((0, 10))).canvas.draw()
    assert not recwarn.list


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spectrum": SPECTRUM.T}, "does not fit its axes"),
        ({"curves": CURVES[0]}, "curves has shape"),
        ({"flags": {"resolved": CURVES[:, 1:]}}, "resolved has shape"),
        ({"curves": CURVES, "flags": {"resolved": CURVES[:1]}}, "flags are of curves"),
        ({"masks": np.zeros((33, 10))}, "masks have shape"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw_dispersion(**{"spectrum": SPECTRUM, **AXES, **change})
