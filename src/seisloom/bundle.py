"""A trained model is a folder: recipe, weights, calibration, metrics, history, card. No pickle is needed to open it."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom import plugins
from seisloom.errors import BundleError, MissingDataError, PluginError
from seisloom.inference.heap import ask_for_huge_pages
from seisloom.recipe import Recipe, config_from, read_recipe, recipe_from, usual_recipe
from seisloom.sample import Array, Arrays, Predictor, Schema
from seisloom.seal import SEAL, check_seal, seal
from seisloom.task import Calibration, Product, Record, Task, as_it_is, task_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from seisloom.config import ModelConfig

logger = logging.getLogger("seisloom")
WEIGHTS = "weights.safetensors"
PLAIN_WEIGHTS = "model.pth"
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
        return _read_state(self.path, checkpoint)

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


def device_of(name: str = "auto") -> str:
    """Return the device that a name stands for: auto is a GPU where there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def as_predictor(network: nn.Module, device: str = "auto") -> Predictor:
    """Return the network as a function from arrays to arrays, without gradients, on a device.

    Several threads may call it. On a GPU each has a stream of its own and pinned memory, so that what one copies runs
    beside what another computes.
    """
    import torch

    device = device_of(device)
    try:
        moved = network.to(device).eval()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        there = ", ".join(["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))])
        raise BundleError(f"there is no device {device!r} here. Give auto, or one of: {there}") from error

    def predict(arrays: Arrays) -> dict[str, Array]:
        with torch.inference_mode():
            batch = {name: torch.from_numpy(np.ascontiguousarray(one)).to(device) for name, one in arrays.items()}
            outputs: Mapping[str, Tensor] = moved(batch)
            return {name: one.float().cpu().numpy() for name, one in outputs.items()}

    return OnDevice(_on_gpu(moved, device) if device.startswith("cuda") else predict, device)


@dataclass(frozen=True, slots=True)
class OnDevice:
    """A network as a predictor that says where it runs: what is put behind it runs there too."""

    predict: Predictor
    device: str

    def __call__(self, arrays: Arrays) -> Arrays:
        """Return the network's outputs."""
        return self.predict(arrays)


def _on_gpu(network: nn.Module, device: str) -> Predictor:
    """Return a network on a GPU as a predictor whose copies wait for nobody else's work."""
    import torch

    own = threading.local()

    def predict(arrays: Arrays) -> dict[str, Array]:
        if not hasattr(own, "stream"):
            own.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            own.stream.wait_stream(torch.cuda.default_stream(device))  # which brings the weights
        with torch.inference_mode(), torch.cuda.stream(own.stream):
            pinned = {name: torch.from_numpy(np.ascontiguousarray(one)).pin_memory() for name, one in arrays.items()}
            batch = {name: one.to(device, non_blocking=True) for name, one in pinned.items()}
            outputs: Mapping[str, Tensor] = network(batch)
            back = {name: _pinned_copy(one.float()) for name, one in outputs.items()}
            own.stream.synchronize()
            return {name: one.numpy() for name, one in back.items()}

    return predict


def _pinned_copy(values: Tensor) -> Tensor:
    import torch

    back = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return back.copy_(values, non_blocking=True)


def write_weights(state: Mapping[str, Tensor], folder: Path) -> None:
    """Write weights as safetensors and as a plain `.pth`, readable for whom the umask says, and their hashes."""
    import torch
    from safetensors.torch import save

    tensors = {name: one.detach().cpu().contiguous() for name, one in state.items()}
    (folder / SEAL).unlink(missing_ok=True)  # where writing is cut off, new weights do not stand beside old hashes
    partial = folder / (WEIGHTS + ".partial")
    # Not `save_file`: its file is for its owner alone, whatever the umask
    partial.write_bytes(save(tensors))
    partial.replace(folder / WEIGHTS)
    # In memory first: where a disk is full torch raises an error that names neither
    stored = io.BytesIO()
    torch.save(tensors, stored)
    (folder / PLAIN_WEIGHTS).write_bytes(stored.getvalue())
    seal(folder, (WEIGHTS, PLAIN_WEIGHTS))


def _read_state(folder: Path, checkpoint: str | Path | None) -> dict[str, Tensor]:
    file = folder / WEIGHTS if checkpoint is None else _checkpoint_file(folder, checkpoint)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such weights")
    if file.suffix == ".safetensors":
        check_seal(file)
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            # Shipped weights are stored as float16; networks run in float32
            return {name: one.float() if one.is_floating_point() else one for name, one in load_file(file).items()}
        except SafetensorError as error:
            raise BundleError(f"{file}: damaged ({error})") from error
    return read_checkpoint(file)


def _checkpoint_file(folder: Path, checkpoint: str | Path) -> Path:
    """Return the file of "best" or "last", or the path itself."""
    if str(checkpoint) not in ("best", "last"):
        if Path(checkpoint).is_file():
            return Path(checkpoint)
        raise MissingDataError(f"--checkpoint: best, last or a file; {str(checkpoint)!r} is none of them")
    file = folder / "checkpoints" / f"{checkpoint}.ckpt"
    if not file.is_file():
        raise MissingDataError(
            f"--checkpoint {checkpoint}: {folder.name} has no such checkpoint. Only the folder that was trained has "
            "them; shipped and newly calibrated bundles have their weights alone"
        )
    return file


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """Return the network's weights from a Lightning `.ckpt` or a file of weights; nothing in it is executed.

    Raises:
        BundleError: if the file holds anything but tensors and plain values, or is not the one that a bundle sealed.
    """
    import torch

    check_seal(file)
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the bytes lead it to, a KeyError for a line of text
        raise BundleError(
            f"{file}: damaged, or more than weights, and what could run is not opened. Give a .ckpt of a training, or "
            "a .pth of a state_dict"
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    tensors = {name: one for name, one in state.items() if isinstance(one, torch.Tensor)}
    if not tensors:
        raise BundleError(f"{file}: holds no weights")
    inner = {name.removeprefix("network."): one for name, one in tensors.items() if name.startswith("network.")}
    return inner or tensors


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped bundle; it may not exist."""
    return Path(str(resources.files("seisloom") / "weights" / name)) if name else Path("/nonexistent")


@lru_cache(maxsize=1)
def shipped_bundles() -> tuple[str, ...]:
    """Return the names of the bundles that come with the package."""
    folder = Path(str(resources.files("seisloom") / "weights"))
    return tuple(sorted(item.parent.name for item in folder.glob("*/recipe.yaml")))


@dataclass(frozen=True, slots=True)
class Opened:
    """What `apply` and `evaluate` run: a bundle, or a classical method, behind one face.

    >>> import numpy as np
    >>> record = np.zeros((1, 400), dtype=np.float32)
    >>> record[:, 200:] = np.sin(np.arange(200))
    >>> picks = open_predictor("sta_lta").apply(record, fs_hz=2000)
    >>> float(picks.time_s[0])
    0.1005
    """

    name: str
    task: Task[Any]
    recipe: Recipe
    predictor: Predictor
    calibration: Calibration | None
    bundle: Bundle | None = None
    adapt: Callable[[Any], Any] = as_it_is
    """Narrows a recipe to what a method can do; see `seisloom.config.Method.adapt`."""

    def records(self, source: Any, *, fs_hz: float | None = None) -> list[Record]:
        """Return the records of a path, an ObsPy Stream, or an array with its sampling rate."""
        return list(self.task.open(self.recipe, source, fs_hz))

    def apply(self, source: Any, *, fs_hz: float | None = None) -> Product:
        """Return the product (for picking a pandas table with intervals) for what `records` takes."""
        records = self.task.open(self.recipe, source, fs_hz)  # one by one: all at once may be larger than the memory
        return self.task.apply(self.recipe, self.predictor, self.calibration, records)

    def view(self, source: Any, *, fs_hz: float | None = None) -> Figure:
        """Return a Matplotlib figure of the product over the records."""
        records = self.records(source, fs_hz=fs_hz)
        product = self.task.apply(self.recipe, self.predictor, self.calibration, records)
        return self.task.view(self.recipe, records, product)

    def with_changes(self, *changes: str, **apply: Any) -> Opened:
        """Return the same with other keys of the recipe's `apply`, such as abstain_width_s=0.01.

        Args:
            changes: as text, "abstain_width_s=0.01".
            apply: as values.
        Raises:
            RecipeError: if a key is not known or a value not possible.
        """
        values = self.recipe.model_dump(mode="json")
        said = [*changes, *(f"{key}={json.dumps(value)}" for key, value in apply.items())]
        paths = [one if one.startswith("apply.") else f"apply.{one}" for one in said]
        return replace(self, recipe=self.adapt(recipe_from(values, paths, where=self.name)))


def names_beside(room: str, recipe: Recipe) -> list[str]:
    """Return the names of the classical methods that scores show beside what a recipe of a room makes."""
    kinds = {name: plugins.load("methods", name) for name in plugins.names("methods")}
    of_room = {name: kind for name, kind in kinds.items() if kind.model_fields["task"].default == room}
    return [name for name, kind in of_room.items() if kind(name=name).stands_beside(recipe)]


def open_predictor(
    name: str | Path, *, recipe: Recipe | None = None, device: str = "auto", checkpoint: str | Path | None = None
) -> Opened:
    """Return what a name stands for: a bundle's folder, a shipped bundle, or a method, looked up in this order.

    Args:
        name: path or name.
        recipe: for a method, the recipe that says how records are prepared; the room's packaged one by default.
        device: cpu, cuda, or auto.
        checkpoint: see `Bundle.network`.
    Raises:
        PluginError: if the name is both a shipped bundle and a method, or nothing at all.
        BundleError: if a method is given a checkpoint, or there is no such device or checkpoint.
    """
    ask_for_huge_pages()
    text = str(name)
    is_method = text in plugins.names("methods")
    if Path(text).is_dir() or text in shipped_bundles():
        if is_method and not Path(text).is_dir():
            raise PluginError(f"{text!r} is a shipped bundle and a method; give the bundle by its folder")
        bundle = Bundle.open(name)
        label = text if text in shipped_bundles() else bundle.path.resolve().name
        predictor = bundle.predictor(device, checkpoint=checkpoint)
        if checkpoint is not None and bundle.calibration is not None:
            logger.warning(
                "%s: its intervals were calibrated for its own weights, not for checkpoint %s. Calibrate it: "
                "seisloom calibrate", label, checkpoint,
            )  # fmt: skip
        return Opened(label, bundle.task, bundle.recipe, predictor, bundle.calibration, bundle)
    if is_method:
        if checkpoint is not None:
            raise BundleError(f"{text} is a method without weights: --checkpoint concerns bundles")
        method = plugins.load("methods", text)(name=text)
        chosen = method.adapt(
            (recipe if recipe is not None else read_recipe(usual_recipe(method.task))).without_weights()
        )
        predictor, task = method.predictor(chosen), plugins.load("tasks", method.task)
        return Opened(text, task, chosen, predictor, None, adapt=method.adapt)
    known = [*shipped_bundles(), *plugins.names("methods")]
    raise PluginError(f"{text!r} is neither a bundle's folder nor a known name{plugins.nearest(text, known)}")


def network_of(name: str | Path, *, weights: bool = True, schema: Schema | None = None, **keys: Any) -> nn.Module:
    """Return what a name stands for as a plain network, in evaluation mode, on the CPU.

    Args:
        name: a bundle's folder, a shipped bundle, or an entry that a recipe may name as its model, in this order.
        weights: whether it comes trained; a bundle's network without is its architecture with new random weights.
        schema: fields of the items, for an entry that looks at them; ours do not.
        keys: of an entry, such as dims=3 or preset="base".
    Raises:
        BundleError: if an entry is to have weights, or keys are given for a bundle, whose recipe has them.
        RecipeError: if a key is not known or a value not possible.
        PluginError: if the name is nothing at all.

    >>> sum(one.numel() for one in network_of("onset-refraction").parameters()) > 100_000
    True
    >>> network_of("curve_unet", weights=False, modes=2).config.modes
    2
    """
    text = str(name)
    if Path(text).is_dir() or text in shipped_bundles():
        if keys:
            raise BundleError(f"{text}: a bundle's recipe has the keys of its network; leave out {', '.join(keys)}")
        bundle = Bundle.open(name)
        return bundle.network() if weights else bundle.recipe.network(bundle.task.item).eval()
    if text not in plugins.names("models"):
        known = [*shipped_bundles(), *plugins.names("models")]
        raise PluginError(f"{text!r} is neither a bundle nor the name of a network{plugins.nearest(text, known)}")
    if weights:
        raise BundleError(f"{text} is a network without weights: say weights=False, or name a bundle that has some")
    kind: type[ModelConfig] = plugins.load("models", text)
    said = [f"{key}={json.dumps(value)}" for key, value in {"name": text, **keys}.items()]
    return config_from(kind, said, where=text).build(schema or Schema(())).eval()
