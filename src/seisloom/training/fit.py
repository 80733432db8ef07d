"""Training: a recipe and samples in, a bundle out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint

from seisloom.bundle import PLAIN_WEIGHTS, SEEN, WEIGHTS, Bundle, read_checkpoint, write_weights
from seisloom.config import flat
from seisloom.errors import BundleError, MissingDataError, OutputError, RecipeError, TrainingError
from seisloom.io.shards import write_json
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.seal import SEAL
from seisloom.split import digest, split
from seisloom.task import Task
from seisloom.training.callbacks import History, Lines
from seisloom.training.closed_form import learn_at_once
from seisloom.training.finish import finish
from seisloom.training.loader import LiveSource, Source, loader
from seisloom.training.loggers import check_loggers, loggers_of
from seisloom.training.module import Module
from seisloom.training.partners import partners
from seisloom.training.ranks import is_first, wait_for_all

logger = logging.getLogger("seisloom")


def fit(
    task: Task[Any],
    recipe: Recipe,
    out: Path,
    *,
    source: Source | None = None,
    parts: Mapping[str, Sequence[Ref]] | None = None,
    force: bool = False,
) -> Bundle:
    """Train the recipe's network and return it as a bundle, not yet calibrated.

    A folder that an interrupted run of the same recipe left is resumed from its last checkpoint, also when only
    `train.epochs` grew; any other folder is refused.

    Args:
        task, recipe: the room and what it should do.
        out: folder of the bundle.
        source: samples; by default the task's own `plan` and `read`.
        parts: which samples train, which choose the best epoch (valid), and others, which are only noted; by default
            as the recipe splits them.
        force: replace a folder that holds another bundle.
    Raises:
        OutputError: if the folder is there and is not a run of this recipe.
        SplitError: if the groups do not suffice.
        TrainingError: if too many losses are not finite, or a logger's package is not there.
    """
    check_loggers(recipe)
    resume = _claim(out, recipe, force=force)
    goes_on = resume is not None
    # Lightning sets this level when it is imported, and speaks of hardware and products; what matters is said here
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    pl.seed_everything(recipe.seed, workers=True, verbose=False)
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    source = source if source is not None else LiveSource(task, recipe)
    parts = parts if parts is not None else split(source.refs, seed=recipe.seed, config=recipe.split)
    named = {part: sorted({_group(ref.groups, recipe) for ref in refs}) for part, refs in parts.items()}
    if is_first():
        write_json(out / "split.json", {"by": list(recipe.split.by), "sha256": digest(parts), "groups": named})

    network = recipe.network(task.item)
    if recipe.train.init_from:
        load_weights(network, recipe, "init_from")
    if recipe.train.resume and not resume:
        resume = _checked_resume(network, recipe)
    pin = torch.cuda.is_available()
    train = loader(task, recipe, source, parts["train"], training=True, pin_memory=pin)
    valid = loader(task, recipe, source, parts["valid"], training=False, pin_memory=pin) if parts["valid"] else None
    if is_first():
        for part, refs in parts.items():
            if refs:
                by = ", ".join(recipe.split.by)
                logger.info("%s: %d samples in %d groups (%s)", part, len(refs), len(named[part]), by)
        n_parameters = sum(one.numel() for one in network.parameters())
        if not recipe.model.is_closed_form:  # one that is fitted has none before
            logger.info("model %s: %d parameters", recipe.model.name, n_parameters)

    bank = partners(task, recipe, source, parts["train"])
    if recipe.model.is_closed_form:
        if is_first():
            learn_at_once(network, task, recipe, source, parts, out, bank=bank)
            n_numbers = sum(one.numel() for one in network.state_dict().values())
            logger.info("model %s: %d numbers, fitted at once", recipe.model.name, n_numbers)
            write_weights(network.state_dict(), out)
        wait_for_all()
        return Bundle(out, recipe, None)
    module = Module(network, recipe, bank)
    loggers = loggers_of(recipe, out, resumed=goes_on)
    trainer, best = _trainer(recipe, out, loggers, has_valid=valid is not None)
    try:
        trainer.fit(module, train, valid, ckpt_path=resume, weights_only=True)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into an exit
        raise TrainingError(f"stopped; {out} goes on from its last epoch with the same command") from None
    if trainer.interrupted:
        raise TrainingError(f"stopped; run the same command again and {out} goes on from its last epoch")
    if trainer.is_global_zero:
        _load_best(network, out, best)
        if recipe.train.finish is not None and parts["valid"]:
            shuffled = loader(task, recipe, source, parts["valid"], training=True)
            finish(network, recipe, shuffled, recipe.train.finish, bank=bank)
        write_weights(network.state_dict(), out)
    trainer.strategy.barrier()
    return Bundle(out, recipe, None)


def _claim(out: Path, recipe: Recipe, *, force: bool) -> str | None:
    """Make the folder ours, as the first process alone, and return the checkpoint to resume from, if any."""
    last = out / "checkpoints" / "last.ckpt"
    resume = _claim_as_first(out, recipe, last, force=force) if is_first() else None
    wait_for_all()
    return resume if is_first() else str(last) if last.is_file() else None


def _claim_as_first(out: Path, recipe: Recipe, last: Path, *, force: bool) -> str | None:
    file, resume = out / "recipe.yaml", None
    if file.is_file():
        if _same_run(file, recipe):
            resume = str(last) if last.is_file() else None
        elif not force:
            raise OutputError(
                f"{out}: holds a bundle of another recipe ({_differences(file, recipe)}). Choose another --out, or "
                "replace it with --force"
            )
        else:
            _clear(out)
    elif out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file. Choose another --out")
    elif out.exists() and any(out.iterdir()) and not force:
        raise OutputError(f"{out}: is not empty and not a bundle. Choose another --out, or use it with --force")
    try:
        last.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(recipe.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}. Choose another --out") from error
    if resume:
        logger.info("resuming from %s", resume)
    return resume


FREE = tuple(f"train.{key}" for key in ("epochs", "num_workers", "threads", "batch_valid", "resume", "check"))
"""Keys that may change when a run goes on."""


def _same_run(file: Path, recipe: Recipe) -> bool:
    return not _differences(file, recipe)


def _differences(file: Path, recipe: Recipe) -> str:
    """Return the keys in which the recipe of a folder differs from this one, in words."""
    import yaml

    try:
        before, now = (dict(flat(yaml.safe_load(text))) for text in (file.read_text("utf-8"), recipe.to_yaml()))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError):
        return f"{file} is damaged"
    names = [name for name in {**before, **now} if before.get(name) != now.get(name) and name not in FREE]
    said = [f"{name} was {before.get(name)}, is now {now.get(name)}" for name in names[:3]]
    return "; ".join(said) + (f"; and {len(names) - 3} more" if len(names) > 3 else "")


def _clear(out: Path) -> None:
    """Remove what a former run wrote, and only that: nobody's other files."""
    ours = [WEIGHTS, SEEN, "recipe.yaml", "split.json", "history.csv", "loss_plot.png", "metrics.json"]
    ours += [SEAL, PLAIN_WEIGHTS, "calibration.json", "card.md", "report.html"]
    for file in [*(out / name for name in ours), *(out / "checkpoints").glob("*.ckpt")]:
        file.unlink(missing_ok=True)


def _group(groups: Any, recipe: Recipe) -> str:  # Any: a mapping of strings
    return "+".join(groups[kind] for kind in recipe.split.by)


@runtime_checkable
class Adopts(Protocol):
    """A network that can begin from weights of another form."""

    def adopted(self, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return weights of another network by the names and in the shapes of its own, as far as they fit."""
        ...


def load_weights(network: torch.nn.Module, recipe: Recipe, key: Literal["init_from", "check", "resume"]) -> None:
    """Copy the weights that a key of `train` names: a bundle, by folder or shipped name, a .ckpt or a .pth.

    A network that training begins from may differ in less than half of its weights, such as in a decoder: what it does
    not have begins untrained, and is said. A network that `Adopts` weights of others takes them in its own form.

    Raises:
        MissingDataError: if there is no such file.
        BundleError: if it is damaged.
        RecipeError: if the weights are of another network.
    """
    name = str(getattr(recipe.train, key))
    is_file = name.endswith((".ckpt", ".pth"))
    if is_file and not Path(name).is_file():
        raise MissingDataError(f"train.{key}: {name}: no such file")
    state = read_checkpoint(Path(name)) if is_file else Bundle.open(name).weights()
    if key == "init_from" and isinstance(network, Adopts):
        state = network.adopted(state)
    own = network.state_dict()
    fits = {name: one for name, one in state.items() if name in own and own[name].shape == one.shape}
    n_fit, n_own = (sum(one.numel() for one in weights.values()) for weights in (fits, own))
    if key == "init_from" and n_own / 2 < n_fit < n_own:
        network.load_state_dict(fits, strict=False)
        logger.info("train.init_from: %s has no %s; they begin untrained", name, ", ".join(_modules(own.keys() - fits)))
        return
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise RecipeError(
            f"train.{key}: the weights of {name} do not fit model {recipe.model.name!r}: take the `model:` of its "
            f"recipe.yaml ({str(error).splitlines()[-1].strip()})"
        ) from error


def _modules(names: Iterable[str]) -> list[str]:
    """Return the modules that weights belong to, without their own names."""
    return sorted({name.rpartition(".")[0] for name in names})


def _checked_resume(network: torch.nn.Module, recipe: Recipe) -> str:
    """Return the checkpoint that training goes on from, after looking whether it can."""
    file = str(recipe.train.resume)
    if not file.endswith(".ckpt"):
        raise RecipeError(f"train.resume: {file} is no .ckpt of a training; train.init_from begins from weights alone")
    load_weights(network, recipe, "resume")
    if "optimizer_states" not in torch.load(file, map_location="cpu", weights_only=True):
        raise RecipeError(f"train.resume: {file} holds weights alone; train.init_from begins from them")
    return file


def _trainer(
    recipe: Recipe, out: Path, loggers: list[Any], *, has_valid: bool
) -> tuple[pl.Trainer, ModelCheckpoint]:  # Any: Lightning's loggers share no public base
    train = recipe.train
    folder = out / "checkpoints"
    monitor = train.monitor if has_valid else "train/loss"
    best = ModelCheckpoint(
        folder, filename="best", monitor=monitor, mode=train.monitor_mode, save_top_k=1,
        enable_version_counter=False, auto_insert_metric_name=False,
    )  # fmt: skip
    # Not `save_last`: that one is written only when an epoch is a best one, and a resumed run would lose the others
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    callbacks: list[pl.Callback] = [best, last]
    callbacks.append(EarlyStopping(monitor, patience=train.patience, mode=train.monitor_mode))
    if train.keep_checkpoints:
        callbacks.append(
            ModelCheckpoint(
                folder, filename="epoch={epoch:03d}", monitor="epoch", mode="max", save_top_k=train.keep_checkpoints,
                enable_version_counter=False, auto_insert_metric_name=False,
            )
        )  # fmt: skip
    if train.ema:
        callbacks.append(EMAWeightAveraging(decay=train.ema))
    callbacks += [History(out), Lines()]
    trainer = pl.Trainer(
        max_epochs=train.epochs, accelerator=train.accelerator, devices=train.devices, num_nodes=train.num_nodes,
        strategy=train.strategy, precision=train.precision, gradient_clip_val=train.clip_norm, callbacks=callbacks,
        logger=loggers or False, log_every_n_steps=1, num_sanity_val_steps=0, use_distributed_sampler=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    return trainer, best


def _load_best(network: torch.nn.Module, out: Path, best: ModelCheckpoint) -> None:
    path = Path(best.best_model_path or out / "checkpoints" / "last.ckpt")
    if not path.is_file():
        raise BundleError(f"{out}: no epoch was finished, so there are no weights")
    network.load_state_dict(read_checkpoint(path))
