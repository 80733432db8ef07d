import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import matthews_corrcoef

from seisloom.errors import DataError
from seisloom.metrics.scores import score_picks


def made_table(n_shots: int = 20, n_each: int = 24, seed: int = 0) -> pd.DataFrame:
    """Picks of one line: errors are normal with the sigma that is stated, intervals are exact."""
    rng = np.random.default_rng(seed)
    n = n_shots * n_each
    sigma = rng.uniform(0.0005, 0.004, n)
    truth = rng.uniform(0.02, 0.2, n)
    time = truth + rng.normal(size=n) * sigma
    half = stats.norm.ppf(0.95) * sigma
    return pd.DataFrame(
        {
            "trace": np.arange(n),
            "geometry": "LINE",
            "station": [f"R{i % n_each:02}" for i in range(n)],
            "shot": np.repeat(np.arange(n_shots), n_each),
            "truth_s": truth,
            "time_s": time,
            "sigma_s": sigma,
            "lower_s": time - half,
            "upper_s": time + half,
            "probability": 0.9,
            "snr_db": -20 * np.log10(sigma / 0.004),
            "offset_m": rng.uniform(-100, 100, n),
            "status": np.where(half > 0.005, "abstained", "picked"),
            "fs_hz": 4000.0,
        }
    )


def test_scores_are_json_and_agree_with_the_table() -> None:
    table = made_table()
    scores = json.loads(json.dumps(score_picks(table, n_draws=200), allow_nan=False))
    kept = table[table.status == "picked"]
    error = (kept.time_s - kept.truth_s) * 4000
    assert scores["sample_ms"] == 0.25
    assert scores["kept_share"] == pytest.approx(len(kept) / len(table))
    assert scores["kept"]["samples"]["mae"] == pytest.approx(error.abs().mean())
    assert scores["kept"]["hit_rate"]["samples"]["5"] == pytest.approx((error.abs() <= 5).mean())
    assert scores["abstained_as_misses"]["samples"]["5"] == pytest.approx((error.abs() <= 5).sum() / len(table))
    assert scores["n"]["shots"] == 20


def test_right_intervals_cover_and_beat_the_best_constant_width() -> None:
    table = made_table(100)
    levels = {one: stats.norm.ppf((1 + one) / 2) * table.sigma_s.to_numpy() for one in (0.5, 0.8, 0.95)}
    scores = score_picks(table, half_widths_s=levels, n_draws=200)
    for name, found in scores["intervals"]["all"]["levels"].items():
        nominal = float(name) / 100
        assert found["coverage"] == pytest.approx(nominal, abs=4 * np.sqrt(nominal * (1 - nominal) / len(table)))
    assert scores["intervals"]["all"]["levels"]["90"]["score_over_constant"] < 0.95
    assert scores["sigma"]["gaussian_coverage"]["90"] == scores["intervals"]["all"]["levels"]["90"]["coverage"]
    low, high = scores["bootstrap_95"]["coverage"]
    assert low < 0.9 < high
    assert scores["sigma"]["ence"] < 0.15
    assert scores["risk"]["mae_samples_at"]["50"] < scores["risk"]["mae_samples_at"]["100"]


def test_groups_are_complete_and_the_worst_is_named() -> None:
    table = made_table()
    bad = table["station"] == "R03"
    table.loc[bad, "time_s"] += 0.1
    table.loc[bad, ["lower_s", "upper_s"]] += 0.1
    scores = score_picks(table, n_draws=100)
    assert scores["worst_group"]["station"]["label"] == "LINE/R03"
    assert scores["worst_group"]["station"]["coverage"] == 0
    assert scores["by"]["station"]["LINE/R03"]["mae_samples"] == pytest.approx(400, rel=0.05)
    assert {len(scores["by"][kind]) for kind in ("snr_third",)} == {3}
    assert [len(scores["by"][kind]) for kind in ("snr_decile", "offset", "shot")] == [10, 5, 20]
    for groups in scores["by"].values():
        assert sum(one["n"] for one in groups.values()) == len(table)


def test_traces_without_truth_or_time_are_counted() -> None:
    table = made_table()
    table.loc[:9, "truth_s"] = np.nan
    table.loc[10:14, ["time_s", "sigma_s", "lower_s", "upper_s"]] = np.nan
    scores = score_picks(table, n_draws=100)
    assert scores["n"]["without_truth"] == 10
    assert scores["n"]["without_time"] == 5
    assert scores["n"]["kept"] + scores["n"]["abstained"] + 5 == scores["n"]["with_truth"] == len(table) - 10
    assert scores["all"]["n"] == len(table) - 15


def test_a_classical_picker_without_spread_is_scored_with_none_where_nothing_is_known() -> None:
    table = made_table().drop(columns=["sigma_s", "lower_s", "upper_s", "snr_db", "offset_m"])
    scores = score_picks(table, n_draws=100)
    json.dumps(scores, allow_nan=False)
    assert scores["intervals"]["all"]["levels"]["90"] == {"n": 0}
    assert scores["sigma"] == {"n": 0}
    assert scores["risk"] == {"n": 0}
    assert scores["bootstrap_95"]["coverage"] == [None, None]
    assert "snr_third" not in scores["by"]


def test_infinite_intervals_are_counted_and_have_no_width() -> None:
    table = made_table()
    table["lower_s"], table["upper_s"] = -np.inf, np.inf
    found = score_picks(table, n_draws=100)["intervals"]["all"]["levels"]["90"]
    assert (found["n_infinite"], found["coverage"], found["mean_width_ms"]) == (len(table), 1.0, None)


def test_samples_can_be_counted_in_one_unit_on_every_line() -> None:
    table = made_table()
    fine = score_picks(table.assign(fs_hz=8000.0), n_draws=100)["all"]["samples"]["mae"]
    assert fine == pytest.approx(2 * score_picks(table, n_draws=100)["all"]["samples"]["mae"])
    same = score_picks(table.assign(fs_hz=8000.0), sample_s=0.00025, n_draws=100)["all"]["samples"]["mae"]
    assert same == pytest.approx(fine / 2)


def test_columns_of_the_product_are_read_under_their_own_names() -> None:
    table = made_table()
    renamed = table.rename(columns={"shot": "shot_id", "fs_hz": "record_fs_hz"})
    assert score_picks(renamed, n_draws=100) == score_picks(table, n_draws=100)


def test_the_order_of_rows_does_not_matter() -> None:
    table = made_table()
    one, other = score_picks(table, n_draws=50), score_picks(table.sample(frac=1, random_state=0), n_draws=50)
    assert one["kept"]["ms"] == pytest.approx(other["kept"]["ms"])
    assert one["risk"]["aurc_samples"] == pytest.approx(other["risk"]["aurc_samples"])


def test_a_table_that_cannot_be_scored_says_why() -> None:
    with pytest.raises(DataError, match="no column truth_s"):
        score_picks(made_table().drop(columns="truth_s"))
    with pytest.raises(DataError, match="nothing to score"):
        score_picks(made_table().assign(truth_s=np.nan))
    with pytest.raises(DataError, match="half-widths of 50%"):
        score_picks(made_table(), half_widths_s={0.5: np.ones(3)})


def test_traces_that_nobody_looked_at_count_neither_for_nor_against_detection() -> None:
    table = made_table().assign(record_s=0.25)
    table["pick_status"] = "picked"
    table.loc[:39, ["truth_s", "pick_status"]] = [np.nan, "unpicked"]
    known = score_picks(table[40:].reset_index(drop=True), n_draws=50)
    found = score_picks(table, n_draws=50)
    assert found["detection"] == known["detection"]
    assert found["presence"]["n_no_arrival"] == 0
    assert found["presence"]["mcc"] is None
    table.loc[:39, "pick_status"] = "no_arrival"
    found = score_picks(table, n_draws=50)
    n_wrong, kept = int((table.status[:40] == "picked").sum()), table[40:][table.status[40:] == "picked"]
    right = int(((kept.time_s - kept.truth_s).abs() <= 3 / 4000).sum())
    assert n_wrong > 0
    assert found["detection"]["precision"] == pytest.approx(right / (len(kept) + n_wrong))
    assert found["presence"]["false_picks_per_trace_hour"] == pytest.approx(n_wrong / (40 * 0.25 / 3600))
    present, said = table.truth_s.notna(), table.status == "picked"
    assert found["presence"]["mcc"] == pytest.approx(matthews_corrcoef(present, said))


def test_picks_within_the_bounds_of_a_person_are_counted_where_a_bound_is_given() -> None:
    table = made_table()
    assert score_picks(table, n_draws=50)["within_human_bounds"] == {"n": 0}
    table["pick_uncertainty_s"] = np.where(np.arange(len(table)) % 3 == 0, 0.002, np.nan)
    table.loc[3, "pick_uncertainty_s"] = 0.0
    found = score_picks(table, n_draws=50)["within_human_bounds"]
    given = table[table.pick_uncertainty_s > 0]
    assert found["n"] == len(given) == len(table) // 3 - 1
    assert found["share"] == pytest.approx(((given.time_s - given.truth_s).abs() <= 0.002).mean())
    assert found["median_bound_ms"] == 2.0


def test_the_worst_slab_is_low_where_offsets_are_not_covered() -> None:
    table = made_table(100)
    good = score_picks(table, n_draws=50)["worst_slab"]
    assert good["features"] == ["snr_db", "offset_m", "half_width_s"]
    assert good["coverage"] > 0.8
    far = table["offset_m"].abs() > 85
    table.loc[far, ["time_s", "lower_s", "upper_s"]] += 0.05
    bad = score_picks(table, n_draws=50)["worst_slab"]
    assert bad["coverage"] < 0.3


@pytest.mark.parametrize("name", ["half_width", "sigma"])
def test_where_all_picks_are_equally_sure_there_is_no_error_of_the_surest(name: str) -> None:
    table = made_table().assign(sigma_s=0.002)
    # The ends are rounded: their distance differs from pick to pick by its last bits
    table["lower_s"], table["upper_s"] = table.time_s - 0.003, table.time_s + 0.003
    if name == "sigma":
        table = table.drop(columns=["lower_s", "upper_s"])
    scores = score_picks(table, n_draws=50)
    risk = scores["risk"]
    assert [risk["mae_samples_at"][kept] for kept in ("90", "80", "50")] == [None, None, None]
    assert [risk["hit_at_5_samples_at"][kept] for kept in ("90", "80", "50")] == [None, None, None]
    assert risk["mae_samples_at"]["100"] == pytest.approx(scores["all"]["samples"]["mae"])
    assert np.ptp(risk["curve"]["mae_samples"]) == pytest.approx(0, abs=1e-9)
