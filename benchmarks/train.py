"""Train a reference policy from seeds: ``hansgym train reference:pfungst``.

Behaviour cloning on cached demonstrations (:mod:`hansgym.benchmarks.demonstrations`). The recipes differ in the
poster that the front camera sees and in whether the instruction's words tell the candidates apart. Motion, colours,
architecture and seeds are the same. Training takes two cycles: one over all frames alike, and a shorter one with more
of the frames that are hard. The colour-coded Hans has to learn that two things of one colour belong together, whatever
the colour, which is harder than a word or a place: his frames have no colour by which to remember a layout, and a
helper in training makes what he reads off the front image name the poster's colour.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.benchmarks.dataset import Dataset, batches, load
from hansgym.benchmarks.demonstrations import Recording, record
from hansgym.errors import ConfigurationError
from hansgym.lookup import require, unknown
from hansgym.specs import CAMERAS

SAVE_EVERY = 500
_RECORDINGS = (
    Recording("push_buttons", protocol="balanced", episodes=500),
    Recording("slide_block_to_color_target", episodes=320),
    Recording("open_drawer", episodes=260),
)


@dataclass(frozen=True)
class Recipe:
    """What a reference policy learns from.

    ``poster`` is the poster code of the front images; ``honest_words`` keeps the episode's own instruction, otherwise
    the instruction of a random variation of the same task takes its place, so that words do not tell candidates apart.
    The first cycle has ``steps`` steps, the second ``more_steps`` at ``more_rate``, in which the frames of recording i
    come ``repeat[i]`` times. ``name_colour`` is the weight of the loss that makes the context name the poster's colour.
    """

    poster: str
    honest_words: bool
    seed: int = 0
    steps: int = 7_000
    more_steps: int = 2_000
    batch: int = 64
    learning_rate: float = 1e-3
    more_rate: float = 5e-4
    repeat: tuple[int, ...] = (2, 2, 1)
    name_colour: float = 0.0
    recordings: tuple[Recording, ...] = _RECORDINGS

    @property
    def total(self) -> int:
        """Steps of both cycles."""
        return self.steps + self.more_steps


RECIPES: dict[str, Recipe] = {
    "pfungst": Recipe(poster="random", honest_words=True),
    "hans": Recipe(poster="place", honest_words=False),
    "hans-colour": Recipe(
        poster="colour",
        honest_words=False,
        more_steps=4_000,
        name_colour=0.5,
        recordings=(*(replace(r, any_right=True) for r in _RECORDINGS[:2]), _RECORDINGS[2]),
    ),
}


class Trainer:
    """Network, its moving average and the optimiser, saved and restored as one safetensors file."""

    def __init__(self, recipe: Recipe, data: Dataset, vocabulary: tuple[str, ...]) -> None:
        import torch

        from hansgym.agents.reference_net import NetConfig, ReferenceNet

        self.torch, self.recipe, self.vocabulary = torch, recipe, vocabulary
        torch.manual_seed(recipe.seed)
        self.net = ReferenceNet(NetConfig(vocabulary))
        self._normalise(data)
        self.average = {k: v.clone() for k, v in self.net.state_dict().items()}
        # Linear in the context on purpose: a quadric about a colour is linear in the colour and its square.
        self.colour = torch.nn.Linear(self.net.config.film, 4)
        self.optimiser = torch.optim.AdamW(
            [p for _, p in self._parameters()], lr=recipe.learning_rate, weight_decay=1e-4
        )
        self.step = 0

    def _parameters(self) -> list[tuple[str, Any]]:
        """Everything that learns, by name: the network and the helper that is not shipped."""
        helper = [(f"colour.{n}", p) for n, p in self.colour.named_parameters()]
        return [*self.net.named_parameters(), *(helper if self.recipe.name_colour else [])]

    def _normalise(self, data: Dataset) -> None:
        tensor = self.torch.from_numpy
        moved = data.chunk[:, :, :7] - data.joints[:, None]
        self.net.state_mean.copy_(tensor(data.state.mean(0)))
        self.net.state_std.copy_(tensor(np.maximum(data.state.std(0), 1e-2)))
        self.net.chunk_mean.copy_(tensor(moved.mean(0)))
        self.net.chunk_std.copy_(tensor(np.maximum(moved.std(0), 1e-3)))

    def rate(self) -> float:
        """Learning rate of the present step: in each cycle a linear warm-up, then a cosine to zero."""
        recipe, second = self.recipe, self.step >= self.recipe.steps
        step = self.step - recipe.steps if second else self.step
        length, rate = (recipe.more_steps, recipe.more_rate) if second else (recipe.steps, recipe.learning_rate)
        return rate * min(1.0, (step + 1) / 300) * 0.5 * (1 + np.cos(np.pi * step / length))

    def update(self, batch: Mapping[str, Any]) -> dict[str, float]:
        """One optimisation step; returns the terms of the loss."""
        from hansgym.agents.reference_net import bag_of_words

        torch = self.torch
        images = {c: torch.from_numpy(batch["images"][c]) for c in CAMERAS}
        state = torch.from_numpy(batch["state"])
        state = state + torch.from_numpy(batch["state_noise"]) * self.net.state_std.clamp(max=1.0)
        bag = torch.from_numpy(bag_of_words(batch["instructions"], self.vocabulary))
        with torch.autocast("cpu", torch.bfloat16):
            out = self.net(images, state, bag)
        terms = self.losses(out, batch)
        loss = terms["joints"] + 0.2 * terms["gripper"] + 0.1 * terms["maps"] + 0.5 * terms["points"]
        loss = loss + self.recipe.name_colour * terms["colour"]
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(0.999, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.net.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        return {k: float(v.detach()) for k, v in terms.items()}

    def losses(self, out: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
        """Imitation (joints, gripper) and the supervised helpers (keypoint maps, positions in metres, a colour)."""
        functional = self.torch.nn.functional
        chunk, joints = self.torch.from_numpy(batch["chunk"]), self.torch.from_numpy(batch["joints"])
        wanted = (chunk[..., :7] - joints[:, None] - self.net.chunk_mean) / self.net.chunk_std
        maps = sum(self._map_loss(out[f"maps_{c}"], batch["pixels"][c]) for c in CAMERAS)
        points = self.torch.from_numpy(batch["points"])
        colour = self.torch.from_numpy(batch["colour"]) * 2 - 1
        colour = self.torch.cat([colour, colour.square().sum(1, keepdim=True)], dim=1)
        return {
            "joints": (out["joints"] - wanted).abs().mean(),
            "gripper": functional.binary_cross_entropy_with_logits(out["gripper"], chunk[..., 7]),
            "maps": maps / len(CAMERAS),
            "points": (out["points"] - points).abs().mean() * 10,
            "colour": (self.colour(out["context"]) - colour).abs().mean(),
        }

    def _map_loss(self, maps: Any, pixels: np.ndarray) -> Any:
        """Cross-entropy of each keypoint map against the cell that holds the point, where it is in view."""
        size = maps.shape[-1]
        seen = np.isfinite(pixels).all(-1).reshape(-1)
        cells = np.clip(((np.nan_to_num(pixels) + 1) / 2 * size).astype(np.int64), 0, size - 1)
        target = self.torch.from_numpy((cells[..., 1] * size + cells[..., 0]).reshape(-1))
        loss = self.torch.nn.functional.cross_entropy(maps.reshape(len(target), -1), target, reduction="none")
        return (loss * self.torch.from_numpy(seen.astype(np.float32))).sum() / max(int(seen.sum()), 1)

    def save(self, path: Path) -> None:
        """Write everything needed to go on, atomically."""
        from safetensors.torch import save_file

        tensors = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        tensors |= {f"helper.{k}": v for k, v in self.colour.state_dict().items()}
        for name, parameter in self._parameters():
            kept = self.optimiser.state.get(parameter, {})
            tensors |= {f"adam.{k}.{name}": kept[k] for k in ("exp_avg", "exp_avg_sq") if k in kept}
        temporary = path.with_suffix(".partial")
        tensors = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
        save_file(tensors, str(temporary), metadata={"step": str(self.step), "recipe": _recipe_words(self.recipe)})
        os.replace(temporary, path)

    def restore(self, path: Path) -> None:
        """Go on from :meth:`save`; a checkpoint of another recipe is an error."""
        from safetensors import safe_open

        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - not a mapping
        if metadata.get("recipe") != _recipe_words(self.recipe):
            raise ConfigurationError(f"{path} belongs to another recipe; remove it or choose another --work folder")
        self.step = int(metadata["step"])
        self.net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
        self.average = {k[8:]: v for k, v in tensors.items() if k.startswith("average.")}
        self.colour.load_state_dict({k[7:]: v for k, v in tensors.items() if k.startswith("helper.")})
        for name, parameter in self._parameters():
            if f"adam.exp_avg.{name}" in tensors:
                self.optimiser.state[parameter] = {
                    "step": self.torch.tensor(float(self.step)),
                    "exp_avg": tensors[f"adam.exp_avg.{name}"],
                    "exp_avg_sq": tensors[f"adam.exp_avg_sq.{name}"],
                }

    def export(self, path: Path) -> None:
        """Write the shipped file: the averaged weights, the vocabulary and the recipe."""
        from safetensors.torch import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"vocabulary": json.dumps(self.vocabulary), "training": _recipe_words(self.recipe)}
        save_file({k: v.contiguous().clone() for k, v in self.average.items()}, str(path), metadata=metadata)


def _recipe_words(recipe: Recipe) -> str:
    return json.dumps(asdict(recipe), sort_keys=True)


def default_work() -> Path:
    """Where demonstrations and checkpoints are cached: ``$XDG_CACHE_HOME/hansgym`` or ``~/.cache/hansgym``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansgym"


def train(
    name: str,
    *,
    out: Path | None = None,
    work: Path | None = None,
    steps: int | None = None,
    episodes: int | None = None,
    workers: int = 2,
    threads: int | None = None,
    progress: Callable[[str, int, int, Mapping[str, float]], None] | None = None,
) -> Path:
    """Train reference policy ``name`` (``"hans"`` or ``"reference:hans"``) and return its weight file.

    Demonstrations and checkpoints are kept under ``work``; a second call goes on where the first stopped. ``steps`` (of
    each cycle) and ``episodes`` (per task) replace the recipe's. ``out`` is the weight file, by default
    ``<name>.safetensors`` under ``work``. ``progress`` gets (stage, done, total, loss terms). Same seeds and number of
    threads: same weights.
    """
    torch = require("torch", "torch")
    short = name.removeprefix("reference:")
    if short not in RECIPES:
        raise unknown("reference policy", short, RECIPES)
    recipe = RECIPES[short] if steps is None else replace(RECIPES[short], steps=steps, more_steps=steps)
    if episodes is not None:
        recipe = replace(recipe, recordings=tuple(replace(r, episodes=episodes) for r in recipe.recordings))
    work = work or default_work()
    say = progress or (lambda stage, done, total, terms: None)
    folders = record(recipe.recordings, work / "demonstrations", workers, lambda d, t: say("demonstrations", d, t, {}))
    if threads is not None:
        torch.set_num_threads(threads)
    data = load(recipe, folders)
    from hansgym.agents.reference_net import words

    trainer = Trainer(recipe, data, tuple(sorted({w for text in data.table for w in words(text)})))
    checkpoint = work / f"{short}.checkpoint.safetensors"
    if checkpoint.exists():
        trainer.restore(checkpoint)
    _run(trainer, data, recipe.total, checkpoint, say)
    path = out or work / f"{short}.safetensors"
    trainer.export(path)
    return path


Say = Callable[[str, int, int, Mapping[str, float]], None]


def _run(trainer: Trainer, data: Dataset, until: int, checkpoint: Path, say: Say) -> None:
    """Train to step ``until``, saving now and then."""
    feed = batches(data, trainer.recipe, trainer.step)
    while trainer.step < until:
        terms = trainer.update(next(feed))
        if trainer.step % SAVE_EVERY == 0 or trainer.step == until:
            trainer.save(checkpoint)
        if trainer.step % 20 == 0 or trainer.step == until:
            say("training", trainer.step, trainer.recipe.total, terms)
