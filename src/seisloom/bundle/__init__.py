"""A trained model is a folder: recipe, weights, calibration, metrics, history, card. No pickle is needed to open it."""

from seisloom.bundle.bundle import CALIBRATED, SEEN, Bundle, began_from, shipped_bundles, shipped_folder, write_hashes
from seisloom.bundle.opened import Opened, names_beside, network_of, open_predictor
from seisloom.bundle.predictor import OnDevice, as_predictor, device_of
from seisloom.bundle.weights import PLAIN_WEIGHTS, WEIGHTS, read_checkpoint, write_weights

__all__ = [
    "CALIBRATED", "PLAIN_WEIGHTS", "SEEN", "WEIGHTS", "Bundle", "OnDevice", "Opened",
    "as_predictor", "began_from", "device_of", "names_beside", "network_of", "open_predictor",
    "read_checkpoint", "shipped_bundles", "shipped_folder", "write_hashes", "write_weights",
]  # fmt: skip
