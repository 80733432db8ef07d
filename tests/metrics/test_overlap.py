from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.metrics.overlap import (
    Matches,
    distance_to,
    match_all,
    mean_scores,
    ods_ois,
    patch_scores,
    strict_scores,
    surface_distances,
    thin,
    tolerant_f1,
)

MASKS_2D = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))
MASKS_3D = arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)))
CORNERS = np.ones((3, 3))


def line(row: int, shape: tuple[int, int] = (12, 30)) -> np.ndarray:
    truth = np.zeros(shape, np.int8)
    truth[row] = 1
    return truth


def slab(normal: tuple[float, float, float], half_width: float, n: int = 40) -> np.ndarray:
    """A plane through the middle of a cube, so thick."""
    grid = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2] * 3, indexing="ij"))
    return np.abs(np.tensordot(np.array(normal) / np.linalg.norm(normal), grid, 1)) <= half_width


def shortest(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    if not len(targets):
        return np.full(len(points), np.inf)
    return np.sqrt(((points[:, None] - targets[None]) ** 2).sum(axis=-1)).min(axis=1)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize("as_volume", [False, True])
def test_a_shifted_line_is_found_once_the_tolerance_reaches_the_shift(shift: int, as_volume: bool) -> None:
    truth, said = line(4), line(4 + shift)
    if as_volume:
        truth, said = truth[None], said[None]
    f1 = tolerant_f1(said, truth)["f1"]
    assert f1 == {f"{t}": float(t >= shift) for t in range(4)}


def test_a_shifted_plane_of_a_volume_is_found_once_the_tolerance_reaches_the_shift() -> None:
    truth = np.zeros((10, 12, 14), np.int8)
    truth[:, 5] = 1
    assert tolerant_f1(np.roll(truth, 2, axis=1), truth)["f1"] == {"0": 0.0, "1": 0.0, "2": 1.0, "3": 1.0}


def test_precision_and_recall_of_half_a_line_and_a_false_one() -> None:
    truth = line(3)
    said = np.zeros(truth.shape)
    said[3, :15] = 0.9
    said[10, :15] = 0.9
    found = tolerant_f1(said, truth, tolerances=(0, 2))
    assert found["precision"] == {"0": 0.5, "2": 0.5}
    assert found["recall"] == {"0": 0.5, "2": 17 / 30}  # two more within reach of the end
    assert (found["n_predicted"], found["n_true"]) == (30, 30)


@given(said=MASKS_3D, data=st.data())
def test_matches_are_those_of_brute_force(said: np.ndarray, data: st.DataObject) -> None:
    label = data.draw(arrays(bool, said.shape))
    counted = data.draw(arrays(bool, said.shape))
    to_label = shortest(np.argwhere(said & counted), np.argwhere(label))
    to_said = shortest(np.argwhere(label & counted), np.argwhere(said))
    for t, one in zip((0, 1, 1.5, 2), match_all(said, label, counted, (0, 1, 1.5, 2)), strict=True):
        assert one == Matches(
            int(counted.sum()), len(to_label), int((to_label <= t).sum()), len(to_said), int((to_said <= t).sum())
        )


@given(mask=MASKS_2D)
def test_distances_are_those_of_brute_force(mask: np.ndarray) -> None:
    everywhere = np.argwhere(np.ones(mask.shape))
    spaced = distance_to(mask, spacing=(2.0, 0.5)).ravel()
    np.testing.assert_allclose(distance_to(mask).ravel(), shortest(everywhere, np.argwhere(mask)))
    np.testing.assert_allclose(spaced, shortest(everywhere * (2.0, 0.5), np.argwhere(mask) * (2.0, 0.5)))


@given(mask=MASKS_2D)
def test_thinning_keeps_parts_and_holes_and_leaves_nothing_to_thin(mask: np.ndarray) -> None:
    thinned = thin(mask)
    assert not (thinned & ~mask).any()
    assert ndimage.label(thinned, CORNERS)[1] == ndimage.label(mask, CORNERS)[1]
    outside = [np.pad(~one, 1, constant_values=True) for one in (thinned, mask)]
    assert ndimage.label(outside[0])[1] == ndimage.label(outside[1])[1]
    np.testing.assert_array_equal(thin(thinned), thinned)


def test_thinning_takes_the_middle_of_a_bar() -> None:
    bar = np.zeros((11, 40), bool)
    bar[3:8, 5:35] = True
    middle = thin(bar)
    assert set(np.nonzero(middle)[0]) == {5}
    assert 25 <= middle.sum() <= 30


def test_a_line_of_one_voxel_is_not_thinned() -> None:
    diagonal = np.eye(20, dtype=bool)
    np.testing.assert_array_equal(thin(diagonal), diagonal)


@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 1, 0), (0.7, 0.7, 0.2), (0.2, 0.9, 0.4), (0.9, 0.3, -0.3)])
def test_a_thick_plane_of_a_volume_is_thinned_to_its_middle_sheet_whatever_its_strike(normal: tuple) -> None:
    thinned, inner = thin(slab(normal, 2.0)), (slice(6, -6),) * 3
    middle = slab(normal, 0.5)
    # In a section the middle may lie half a sample off on either side, along a slanted line
    assert distance_to(middle)[inner][thinned[inner]].max() <= np.sqrt(2)
    assert np.quantile(distance_to(thinned)[inner][middle[inner]], 0.99) <= np.sqrt(2)
    assert thinned[inner].sum() <= 1.25 * middle[inner].sum()


def test_a_volume_of_one_inline_or_one_crossline_is_a_section() -> None:
    mask = np.random.default_rng(0).uniform(size=(20, 30)) < 0.5
    np.testing.assert_array_equal(thin(mask[None])[0], thin(mask))
    np.testing.assert_array_equal(thin(mask[:, None])[:, 0], thin(mask))
    with pytest.raises(DataError, match="two or three axes"):
        thin(mask[0])


def test_empty_labels_and_empty_predictions_have_defined_scores() -> None:
    none, some, unknown = np.zeros((12, 30), int), line(4), np.full((12, 30), -1)
    assert set(tolerant_f1(none, none)["f1"].values()) == {1.0}
    assert set(tolerant_f1(some, none)["f1"].values()) == {0.0}
    assert set(tolerant_f1(none, some)["f1"].values()) == {0.0}
    assert np.isnan(list(tolerant_f1(some, unknown)["f1"].values())).all()
    assert strict_scores(none, none) == {"iou": 1, "f1": 1, "precision": 1, "recall": 1}
    assert strict_scores(some, none)["iou"] == strict_scores(none, some)["f1"] == 0
    assert np.isnan(list(strict_scores(some, unknown).values())).all()
    assert surface_distances(none, none) == {"hd95": 0, "mean": 0}
    assert surface_distances(some, none) == surface_distances(none, some) == {"hd95": np.inf, "mean": np.inf}
    assert np.isnan(surface_distances(some, unknown)["hd95"])
    assert np.isnan(patch_scores(none, none)["recovered_share"])
    assert patch_scores(some, none)["n_false"] == 1


def test_what_nobody_knows_and_dead_traces_are_left_out() -> None:
    truth, said = line(4), line(4) | line(10)
    assert strict_scores(said, truth)["iou"] == 0.5
    band = np.where(line(10) == 1, -1, truth)
    live = np.arange(12) != 10
    for scores in (tolerant_f1(said, band)["f1"], tolerant_f1(said, truth, known=live[:, None])["f1"]):
        assert set(scores.values()) == {1.0}
    assert strict_scores(said, band)["iou"] == strict_scores(said, truth, known=live[:, None])["iou"] == 1
    assert patch_scores(said, band)["n_false"] == 0


def test_a_label_is_found_by_a_prediction_in_the_band_that_nobody_knows() -> None:
    truth = line(4)
    truth[[3, 5]] = -1
    found = tolerant_f1(line(5), truth, tolerances=(0, 1))
    assert found["f1"] == {"0": 0.0, "1": 1.0}


def test_strict_scores_are_those_of_counting_and_f1_is_dice() -> None:
    truth, said = np.array([[1, 1, 0, 0, -1]]), np.array([[0.9, 0.2, 0.6, np.nan, 0.9]])
    scores = strict_scores(said, truth)
    assert scores == {"iou": 1 / 3, "f1": 0.5, "precision": 0.5, "recall": 0.5}
    assert scores["f1"] == 2 * scores["iou"] / (1 + scores["iou"])


def test_scores_of_volumes_are_averaged_not_pooled() -> None:
    small, large = line(1, (3, 3)), line(1, (3, 300))
    mean = mean_scores([strict_scores(small, small), strict_scores(np.zeros_like(large), large)])
    assert mean["iou"] == 0.5


def test_matches_add_up_over_sections() -> None:
    rng = np.random.default_rng(1)
    said, label = rng.uniform(size=(2, 4, 9, 11)) < 0.2
    # Sections far apart are a volume in which nothing reaches the next
    apart = [np.zeros((16, 9, 11), bool) for _ in range(2)]
    apart[0][::4], apart[1][::4] = said, label
    counted = np.zeros((16, 9, 11), bool)
    counted[::4] = True
    whole = match_all(*apart, counted, [2])[0]
    assert (
        sum((match_all(a, b, np.ones(a.shape, bool), [2])[0] for a, b in zip(said, label, strict=True)), Matches())
        == whole
    )


def test_ods_takes_one_threshold_for_all_and_ois_one_for_each() -> None:
    truth = line(4)
    sure, timid = np.where(truth == 1, 0.9, 0.0), np.where(truth == 1, 0.4, 0.0)
    sure[10] = timid[10] = 0.3
    sure[10] = 0.5
    found = ods_ois([sure, timid], [truth, truth], tolerance=1)
    # At 0.35 to 0.4: both lines and one false one; above 0.5 only the sure one
    assert found["ods"] == pytest.approx(0.8)
    assert 0.3 < found["ods_threshold"] <= 0.4
    assert found["ois"] == 1
    assert found["f1"]["0.6"] == pytest.approx(2 / 3)
    assert np.isnan(ods_ois([], [])["ods"])
    with pytest.raises(DataError, match="as many"):
        ods_ois([sure], [])


def test_distances_between_parallel_lines_are_their_shift() -> None:
    truth = line(3)
    assert surface_distances(line(7), truth) == {"hd95": 4, "mean": 4}
    assert surface_distances(line(7), truth, spacing=(12.5, 4)) == {"hd95": 50, "mean": 50}
    both = line(3) | line(9)
    assert surface_distances(both, truth) == {"hd95": 6, "mean": 1.5}  # 3 over the prediction, 0 over the labels


def test_patches_are_recovered_by_more_than_half() -> None:
    truth = np.zeros((30, 40), int)
    truth[2, :20] = 1
    truth[12, :10] = 1
    said = np.zeros(truth.shape)
    said[3, :20] = said[12, :2] = said[25, :10] = 1
    scores = patch_scores(said, truth, tolerance=1)
    assert {name: scores[name] for name in ("n_true", "n_recovered", "n_predicted", "n_false")} == {
        "n_true": 2, "n_recovered": 1, "n_predicted": 3, "n_false": 1,
    }  # fmt: skip
    assert scores["recovered_length"] == 20 / 30
    assert scores["false_length"] == 10 / 32


def test_crossing_faults_are_one_patch_unless_they_are_numbered() -> None:
    first = line(6)
    cross = first.copy()
    cross[:, 15] = 1
    numbers = np.where(first == 1, 1, np.where(cross == 1, 2, 0))
    assert patch_scores(first, cross)["n_true"] == 1
    scores = patch_scores(first, cross, patches=numbers, tolerance=1)
    assert (scores["n_true"], scores["n_recovered"]) == (2, 1)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="same grid"):
        tolerant_f1(np.zeros((3, 4)), np.zeros((4, 3)))


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_human_picks_against_themselves_shifted(field_data: Path, shift: int) -> None:
    file = field_data / "interpretation/gsb_crl_2700_fault.npy"
    if not file.is_file():
        pytest.skip(f"no {file}")
    truth = np.load(file).T  # stored (time, trace)
    said = np.roll(truth, shift, axis=0)
    found = tolerant_f1(said, truth)
    # The picks are one voxel wide along the traces, so nothing is thinned, and none lies on a trace at an end
    assert found["n_predicted"] == found["n_true"] == 475
    assert {found["f1"][f"{t}"] for t in range(shift, 4)} == {1.0}
    assert {found["f1"][f"{t}"] for t in range(shift)} <= {0.0}
    assert strict_scores(said, truth)["f1"] == float(shift == 0)
    assert ods_ois([said.astype(float)], [truth])["ods"] == 1
    # Faults that lean are nearer than the shift
    assert surface_distances(said, truth)["mean"] == pytest.approx(shift, abs=0.1)
    assert patch_scores(said, truth)["n_recovered"] == 9
