"""Numbers that tell what made a record: how it grows and dies away, its frequencies, its arrivals and its motion.

For classifiers that take a table, such as a random forest, and for a look at what parts two classes.

Time of day, day of the week and direction are left out on purpose: blasts are fired in working hours and at known
places, so that a catalogue is told apart by them without a look at the waves.

Source: the choice follows Provost, Hibert & Malet (2017), GRL 44, 113-120 (form, spectrum, spectrogram,
polarity) and Malfante et al. (2018), IEEE Signal Processing Magazine 35(2), 20-30; definitions are those of
FEATURES.
"""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_arrivals import ARRIVALS, arrival_features, polarization_features
from seisloom.signal.features_of_form import FORM, form_features
from seisloom.signal.features_of_spectrum import SPECTRUM, spectrum_features

FEATURES: tuple[Feature, ...] = (*FORM, *SPECTRUM, *ARRIVALS)
FEATURE_NAMES = tuple(one.name for one in FEATURES)
MIN_SAMPLES = 32
"""A record with fewer real samples has no features: none of them would mean anything."""


def event_features(
    values: Array,
    *,
    fs_hz: float,
    mask: Array | None = None,
    onset_s: float | None = None,
    s_onset_s: float | None = None,
) -> Array:
    """Return the features of one record, in the order of FEATURE_NAMES.

    Form and spectrum are those of the first channel. Nothing but `log10_rms` depends on the unit of the amplitudes.

    Args:
        values: amplitudes, shape (channel, time), the vertical one first; of three channels, in the order Z, N, E, the
            motion is looked at too. What is not finite was not recorded.
        fs_hz: sampling rate in Hz.
        mask: shape (time,), nonzero where samples were recorded; None takes all. What was not recorded counts in no
            number: gaps are zeros for the envelope, and spectra take windows without gaps.
        onset_s: the P onset in s after the first sample, NaN or None where it is not known.
        s_onset_s: the S onset, likewise.
    Returns:
        float64, shape (feature,). NaN where a feature is not defined: without an onset, three channels, or a window
        without gaps; all of them for a record that is constant or has fewer than 32 real samples.
    Raises:
        DataError: if the shape or the sampling rate make no sense.

    >>> t = np.arange(3000) / 100
    >>> dict(zip(FEATURE_NAMES, event_features(np.sin(2 * np.pi * 5 * t)[None], fs_hz=100)))["centroid_hz"].round(2)
    np.float64(5.0)
    """
    ready = centred(values, fs_hz=fs_hz, mask=mask)
    if ready is None:
        return np.full(len(FEATURES), np.nan)
    x, real = ready
    found = {
        **form_features(x[0], real, fs_hz=fs_hz),
        **spectrum_features(x[0], real, fs_hz=fs_hz),
        **arrival_features(x, real, fs_hz=fs_hz, onset_s=onset_s, s_onset_s=s_onset_s),
        **polarization_features(x, real, fs_hz=fs_hz, onset_s=onset_s),
    }
    return np.array([found.get(name, np.nan) for name in FEATURE_NAMES])


def centred(values: Array, *, fs_hz: float, mask: Array | None = None) -> tuple[Array, Array] | None:
    """Return a record about its mean, 0 where it was not recorded, and where it was; None where nothing is to be told.

    Args:
        values, fs_hz, mask: as `event_features`.
    Returns:
        (channel, time) float64 and (time,) bool; None for a record that is constant or has fewer than 32 real samples.
    Raises:
        DataError: if the shape or the sampling rate make no sense.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or 0 in values.shape or not (fs_hz > 0 and np.isfinite(fs_hz)):
        raise DataError(
            f"features of values of shape {values.shape} at {fs_hz} Hz: give (channel, time), not empty, and a "
            "sampling rate above 0"
        )
    real = np.asarray(np.isfinite(values).all(axis=0))
    if mask is not None:
        if np.shape(mask) != real.shape:
            raise DataError(f"mask has shape {np.shape(mask)}, the record {values.shape}; give one value a sample")
        real = np.asarray(real & (np.asarray(mask) != 0))
    if real.sum() < MIN_SAMPLES:
        return None
    known = np.where(real, values, 0.0)
    x = np.where(real, known - known.sum(axis=1, keepdims=True) / real.sum(), 0.0)
    largest = np.abs(known).max()
    # What is left of a constant once its mean is off is rounding
    if np.abs(x[0]).max() <= 1e-12 * largest:
        return None
    return np.asarray(x), real
