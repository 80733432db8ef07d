"""One trace and its pick, or why there is none."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from seisloom.figures.style import BLACK, HUMAN, PALE, PICK, REFUSED, drawn, grid, new_figure, write_nothing
from seisloom.sample import Array


@drawn
def draw_pick(
    trace: Array,
    *,
    fs_hz: float,
    t0_s: float = 0.0,
    time_s: float = float("nan"),
    lower_s: float = float("nan"),
    upper_s: float = float("nan"),
    probability: float = float("nan"),
    snr_db: float = float("nan"),
    reason: str = "",
    human_s: float = float("nan"),
    interval_label: str = "90 % interval",
    title: str = "",
) -> Figure:
    """Draw a trace twice, whole and close to its pick, with interval, SNR, probability, and the reason if abstained.

    Args:
        trace: amplitudes, shape (time,), any unit.
        fs_hz: sampling rate in Hz.
        t0_s: time of the first sample in s.
        time_s, lower_s, upper_s: the pick and its interval in s; NaN if there is none.
        probability: that there is an onset, 0 to 1; NaN if not known.
        snr_db: SNR in dB; NaN if not known.
        reason: why it was abstained from; "" for a pick.
        human_s: pick of a person in s; NaN if there is none.
        interval_label: what the band is.
        title: for instance geometry, station and shot.
    """
    trace = np.asarray(trace, float)
    time = t0_s + np.arange(trace.size) / fs_hz
    colour = REFUSED if reason else PICK
    figure = new_figure(10.0, 5.6)
    whole, near = figure.subplots(2, 1, height_ratios=(1, 2.2))
    low, high = _near(time, time_s, lower_s, upper_s, human_s, fs_hz)
    for axes, width in ((whole, 0.5), (near, 1.2)):
        axes.plot(time, trace, color=BLACK, linewidth=width, zorder=2)
        axes.set_ylabel("amplitude")
        axes.set_yticks([])
        if np.isfinite(time_s):
            axes.axvline(time_s, color=colour, linestyle="--" if reason else "-", zorder=3, label=_pick_label(reason))
        if np.isfinite(human_s):
            axes.axvline(human_s, color=HUMAN, linestyle=":", linewidth=2.2, zorder=3, label="human pick")
    whole.set_xlim(time[0], time[-1])
    whole.axvspan(low, high, color=PALE, zorder=0)
    if np.isfinite(lower_s) and np.isfinite(upper_s):
        near.axvspan(lower_s, upper_s, color=colour, alpha=0.25, linewidth=0, zorder=1, label=interval_label)
    view = trace[(time >= low) & (time <= high) & np.isfinite(trace)]
    if view.size and np.ptp(view) > 0:
        near.set_ylim(view.min() - 0.1 * np.ptp(view), view.max() + 0.1 * np.ptp(view))
    else:
        write_nothing(near, "no signal in view")
    near.set(xlim=(low, high), xlabel="time (s)")
    grid(near)
    if near.get_legend_handles_labels()[0]:
        near.legend(loc="upper left")
    numbers = [f"SNR {snr_db:.1f} dB"] if np.isfinite(snr_db) else []
    numbers += [f"probability {probability:.2f}"] if np.isfinite(probability) else []
    if np.isfinite(lower_s) and np.isfinite(upper_s):
        numbers.append(f"half-width {(upper_s - lower_s) * 500:.2f} ms")
    if np.isfinite(human_s) and np.isfinite(time_s):
        numbers.append(f"{(time_s - human_s) * 1e3:+.2f} ms from the human pick")
    near.set_title(f"abstained: {reason}" if reason else "picked", color=BLACK)
    near.set_title("   ".join(numbers), loc="right", fontsize=10, fontweight="normal")
    whole.set_title(title)
    return figure


def _pick_label(reason: str) -> str:
    return "abstained" if reason else "pick"


def _near(
    time: Array, time_s: float, lower_s: float, upper_s: float, human_s: float, fs_hz: float
) -> tuple[float, float]:
    """The part of the record that holds pick, interval and human pick, with room around."""
    inside = [t for t in (time_s, lower_s, upper_s, human_s) if time[0] <= t <= time[-1]]
    if not inside:
        return float(time[0]), float(time[-1])
    room = max(1.5 * (max(inside) - min(inside)), 60 / fs_hz)
    return max(min(inside) - room, float(time[0])), min(max(inside) + room, float(time[-1]))
