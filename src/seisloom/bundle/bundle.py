"""The folder itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.bundle.predictor import as_predictor
from seisloom.bundle.weights import read_state
from seisloom.errors import BundleError, MissingDataError
from seisloom.recipe import Recipe, read_recipe
from seisloom.recipe.paths import shipped
from seisloom.sample import Array, Predictor
from seisloom.task import Calibration, Task, task_of

if TYPE_CHECKING:
    from torch import Tensor, nn

SEEN = "seen.npy"
CALIBRATED = "calibrated.npy"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained model on disk. Never changed in place: calibrating anew writes a new one."""

    path: Path
    recipe: Recipe
    calibration: Calibration | None

    @property
    def task(self) -> Task[Any]:  # Any: any room
        """The room that trained it."""
        return task_of(self.recipe)

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Return the bundle of a folder, or a shipped one by its name.

        Raises:
            MissingDataError: if there is neither.
            BundleError: if a file of it is missing or damaged.
        """
        folder = Path(path) if Path(path).is_dir() else shipped_folder(str(path))
        if not folder.is_dir():
            raise MissingDataError(f"{path}: no such bundle. Shipped ones: {', '.join(shipped_bundles()) or 'none'}")
        if not (folder / "recipe.yaml").is_file():
            raise BundleError(
                f"{folder}: not a bundle, it has no recipe.yaml. A bundle is what `seisloom train` writes"
            )
        recipe = read_recipe(folder / "recipe.yaml")
        calibration = None
        if (folder / "calibration.json").is_file():
            try:
                values = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
                calibration = task_of(recipe).load_calibration(values)
            except (ValueError, KeyError, TypeError) as error:
                raise BundleError(
                    f"{folder / 'calibration.json'}: damaged ({error!r}). Run: seisloom calibrate"
                ) from error
        return cls(folder, recipe, calibration)

    def read_json(self, name: str) -> dict[str, Any]:  # Any: JSON values
        """Return a JSON file of the bundle, or {} where it has none."""
        file = self.path / name
        try:
            return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        except ValueError as error:
            raise BundleError(f"{file}: damaged ({error})") from error

    def seen(self) -> Array:
        """Return hashes, uint64, of the records that trained or chose it, or the bundle that it began from."""
        return self._hashes(SEEN)

    def calibrated(self) -> Array:
        """Return hashes, uint64, of the records that calibrated it; none for a bundle that did not keep them."""
        return self._hashes(CALIBRATED)

    def _hashes(self, name: str) -> Array:
        file = self.path / name
        try:
            return np.load(file, allow_pickle=False) if file.is_file() else np.zeros(0, dtype=np.uint64)
        except (ValueError, EOFError) as error:
            raise BundleError(f"{file}: damaged ({error})") from error

    def remember(self, contents: Array) -> None:
        """Store the hashes of what it has seen, with those of the bundle that it began from."""
        before = began_from(self.recipe)
        if before is not None:
            contents = np.concatenate([contents, before.seen()])
        write_hashes(self.path / SEEN, contents)

    def weights(self, checkpoint: str | Path | None = None) -> dict[str, Tensor]:
        """Return the weights by name, float32 on the CPU; see `network` for `checkpoint`."""
        return read_state(self.path, checkpoint)

    def network(self, checkpoint: str | Path | None = None) -> nn.Module:
        """Return the trained network, in evaluation mode, on the CPU.

        Args:
            checkpoint: None for `weights.safetensors`; "best", "last" or a path for a Lightning `.ckpt` or a
                `.pth` of weights, which are read with `weights_only=True`: nothing in them is executed.
        Raises:
            MissingDataError: if there are no such weights.
            BundleError: if they are damaged, have another hash than the bundle says, or are of another network.
        """
        network = self.recipe.network(self.task.item)
        try:
            network.load_state_dict(self.weights(checkpoint))
        except RuntimeError as error:
            raise BundleError(
                f"{self.path}: the weights do not fit model {self.recipe.model.name!r}: "
                f"{str(error).splitlines()[-1].strip()}"
            ) from error
        return network.eval()

    def predictor(self, device: str = "auto", *, checkpoint: str | Path | None = None) -> Predictor:
        """Return a function from NumPy arrays with a leading axis `item` to the network's NumPy outputs."""
        return as_predictor(self.network(checkpoint), device)


def began_from(recipe: Recipe) -> Bundle | None:
    """Return the bundle that training begins from; None for none, or for weights alone (.ckpt, .pth)."""
    name = recipe.train.init_from
    return Bundle.open(name) if name and not name.endswith((".ckpt", ".pth")) else None


def write_hashes(file: Path, contents: Array) -> None:
    """Write hashes of records, each once; 0 stands for a record without content, and is left out."""
    known = np.unique(contents.astype(np.uint64))
    np.save(file, known[known > 0], allow_pickle=False)


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped bundle; it may not exist."""
    return shipped() / name if name else Path("/nonexistent")


@lru_cache(maxsize=1)
def shipped_bundles() -> tuple[str, ...]:
    """Return the names of the bundles that come with the package."""
    return tuple(sorted(item.parent.name for item in shipped().glob("*/recipe.yaml")))
