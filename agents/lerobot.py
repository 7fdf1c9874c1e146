"""``lerobot:PATH_OR_REPO``: a LeRobot policy (ACT, Diffusion, SmolVLA, π0, π0.5, X-VLA, GR00T, …) in this process.

Whole chunks come from ``predict_action_chunk``, between the checkpoint's own processors. Its files are checked before
they are trusted (:mod:`hansgym.agents._lerobot_checkpoint`), its inputs are read from its features, what its actions
mean is declared (:mod:`hansgym.agents._lerobot_mapping`). How the policy samples is tried at the start: noise that it
takes as an argument, or that it draws inside, is made from each row's seed (:mod:`hansgym.agents._torch_noise`). A
policy that looks at several observations is given those of its lane's last decisions (:mod:`hansgym.agents._history`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from hansgym.agents import _lerobot_mapping as features
from hansgym.agents._halving import Halving
from hansgym.agents._history import Frame, History
from hansgym.agents._lerobot_checkpoint import EXTRA, Checkpoint, load, reasons
from hansgym.agents._lerobot_code import no_foreign_code
from hansgym.agents._lerobot_kinds import flags, queued, queues
from hansgym.agents._lerobot_precision import Precision
from hansgym.agents._lerobot_sampling import Sampling, find_out, mixes_words, together
from hansgym.agents.check import synthetic_batch
from hansgym.agents.mapping import PolicyMapping
from hansgym.agents.torch import device_called
from hansgym.agents.views import View
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, require, unknown, yes
from hansgym.specs import AgentSpec

EXAMPLE = "lerobot:outputs/train/act/checkpoints/last/pretrained_model,control=joint_position"

KINDS: dict[str, Callable[[str], Any]] = {
    "mapping": str,
    "control": str,
    "device": str,
    "tokenizer": str,
    "base": str,
    "horizon": int,
    "max_batch": int,
    "tf32": yes,
    "autocast": str,
    "fused": yes,
}
GPU_BATCH, CPU_BATCH = 256, 32
"""Rows that are tried at once where ``max_batch`` is not given; halved until they fit."""

_PROBE_LANES = (-1, -2)
_PROBE_WORDS = ("close the jar", "close the red jar, then push the green button and open the drawer below it")


def make(rest: str, **options: Any) -> LeRobotAgent:
    """``lerobot:PATH_OR_REPO,control=joint_position,device=cuda:0``; the options are those of :class:`LeRobotAgent`."""
    where, _, text = rest.partition(",")
    if not where:
        raise ConfigurationError(f"'lerobot:{rest}' names no checkpoint; write lerobot:<folder or owner/name>,…")
    for key in options:
        if key not in KINDS:
            raise unknown("option of agent 'lerobot'", key, KINDS)
    return LeRobotAgent(where, **{**parse_options(text, KINDS, "agent 'lerobot'"), **options})


class LeRobotAgent:
    """A LeRobot policy behind the agent protocol.

    ``where``: a folder or ``owner/name[@revision]`` on the hub. ``control``: the policy speaks the environment's own
    convention in this control mode; or ``mapping``: a mapping file, a ready one, or a mapping. ``tokenizer``, ``base``:
    where to take the tokenizer, and the model that the policy was made from. ``horizon``: keep only so many control
    steps of a chunk (0: all). ``max_batch``: most rows at once (0: as many as fit). ``tf32``: on a GPU, round the
    products of float32 matrices to ten bits, as LeRobot's own evaluation does. ``autocast``: matrix products in
    bfloat16 or float16 (default: as the checkpoint says). ``fused``: Gemma's attention through Torch's fused kernel
    (:mod:`hansgym.agents._lerobot_attention`).
    """

    def __init__(
        self,
        where: str,
        mapping: str | PolicyMapping | None = None,
        control: str | None = None,
        device: str | None = None,
        tokenizer: str | None = None,
        base: str | None = None,
        horizon: int = 0,
        max_batch: int = 0,
        tf32: bool = True,
        autocast: str | None = None,
        fused: bool = False,
    ) -> None:
        if horizon < 0 or max_batch < 0:
            raise ConfigurationError(f"horizon={horizon}, max_batch={max_batch}; give positive numbers, or 0 for all")
        require("lerobot.configs.policies", EXTRA)
        self._torch = require("torch", EXTRA)
        self.device = device_called(self._torch, device)
        self.precision = Precision(self.device, tf32, autocast)
        self.checkpoint: Checkpoint = load(where, str(self.device), tokenizer, base)
        self.precision.amp = bool(getattr(self.checkpoint.config, "use_amp", False))
        self.mapping = features.mapping_for(self.checkpoint, mapping, control)
        self._plain = {v.key: v for v in self.mapping.views if v == View(v.key, v.camera, size=v.size, resize=v.resize)}
        self._history = History(self._observations())
        self._sampling, self._apart = Sampling("none"), False
        free = self._torch.cuda.empty_cache if self.device.type == "cuda" else lambda: None
        self._halving = Halving(max_batch or CPU_BATCH, f"lerobot:{where}", free)
        with reasons(self.checkpoint.folder, self.checkpoint.config.type, "ask"), no_foreign_code():
            self.spec = self._introduce(where, horizon, max_batch, fused)

    # ---------------------------------------------------------------- the protocol

    @property
    def network(self) -> tuple[Any, str]:
        """LeRobot's policy, without the processors around it."""
        return self.checkpoint.policy, "predict_action_chunk"

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Lanes ``rows`` begin new episodes: what they saw is forgotten."""
        self._history.forget(rows)

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64; as many rows at once as fit into memory, found by halving."""
        seeds = np.asarray(noise_seeds, np.uint64)
        self._remember(batch, seeds)
        chunks = self._in_parts(batch, seeds)
        if chunks.shape[1] < self.spec.horizon:
            raise AgentError(
                f"{self.spec.name} gave {chunks.shape[1]} control steps; {self.spec.horizon} were due, as at the "
                "start: use a policy whose chunks are of one length"
            )
        return chunks[:, : self.spec.horizon]

    # ---------------------------------------------------------------- at the start

    def _observations(self) -> int:
        """How many observations the policy looks at."""
        count = int(getattr(self.checkpoint.config, "n_obs_steps", 1) or 1)
        if count > 1 and not queues(self.checkpoint.policy):
            raise ConfigurationError(
                f"policy {self.checkpoint.config.type!r} looks at {count} observations but keeps no queue of them, so "
                "they cannot be given to it; use a policy with n_obs_steps = 1"
            )
        return count

    def _introduce(self, where: str, horizon: int, max_batch: int, fused: bool) -> AgentSpec:
        """Try the policy on made-up observations: its state vectors, its sampling, its chunk, its memory."""
        mapping, cuda = self.mapping, self.device.type == "cuda"
        wanted = AgentSpec(where, mapping.spec, 1, mapping.cameras, mapping.image_size)
        batch = synthetic_batch(wanted, rows=2)
        batch = Batch(batch.images, batch.state, _PROBE_WORDS, np.array(_PROBE_LANES))
        features.widths(mapping, mapping.observe(batch.take([0])), self.checkpoint)
        ask = self._probe(batch)
        self._sampling = find_out(ask, self.checkpoint.policy.predict_action_chunk)
        alike = Batch(batch.images, batch.state, _PROBE_WORDS[:1] * 2, batch.rows)
        self._apart = mixes_words(ask, self._probe(alike), self._sampling)
        if self._sampling.way == "generator":
            self._halving.most = max_batch = 1
        if cuda and not max_batch:
            self._halving.most = GPU_BATCH
        if fused:
            self.precision.fuse(lambda: ask(np.array([1, 2], np.uint64), self._sampling), self.checkpoint.config.type)
        rows = self._halving.most if cuda else 1
        length = ask(np.arange(rows, dtype=np.uint64) % 2, self._sampling).shape[1]
        self._history.forget(_PROBE_LANES)
        if horizon > length:
            raise ConfigurationError(
                f"{where} predicts {length} control steps, horizon={horizon} is more; choose 1 to {length}"
            )
        return AgentSpec(
            name=f"lerobot:{where}",
            action=mapping.spec,
            horizon=horizon or length,
            cameras=mapping.cameras,
            image_size=mapping.image_size,
            noise_control=self._sampling.kind,
            max_batch=self._halving.most,
            lazy=len(self._plain) == len(mapping.views) and bool(mapping.views),
            details=self._details(),
        )

    def _probe(self, batch: Batch) -> Callable[[np.ndarray, Sampling], np.ndarray]:
        def ask(seeds: np.ndarray, sampling: Sampling) -> np.ndarray:
            self._sampling = sampling
            self._history.forget(_PROBE_LANES)
            part = batch.take(np.arange(len(seeds)) % 2)
            self._remember(part, seeds)
            return self._in_parts(part, seeds)

        return ask

    def _details(self) -> dict[str, Any]:
        length = self._history.length
        return {
            "mapping": self.mapping.describe(),
            "chunk_owner": "agent",
            "device": str(self.device),
            **self.precision.describe(),
            "noise": self._sampling.describe(),
            "batches": "of rows told the same" if self._apart else "of any rows",
            "observations": length,
            "flags": flags(self.checkpoint.config.type, length),
            **self.checkpoint.details,
        }

    # ---------------------------------------------------------------- rows

    def _remember(self, batch: Batch | MaskedBatch, seeds: np.ndarray) -> None:
        """Note the observation of each decision that is new; of masked ones, the unmasked."""
        if self._history.length == 1:
            return
        masked = isinstance(batch, MaskedBatch)
        plain = batch.base if isinstance(batch, MaskedBatch) else batch
        for row, seed in enumerate(seeds[:1] if masked else seeds):
            lane = int(plain.rows[row])
            if not self._history.has(lane, int(seed)):
                shown = self.mapping.observe(plain.take([row]))
                self._history.see(lane, int(seed), {key: value[0] for key, value in shown.items()})

    def _in_parts(self, batch: Batch | MaskedBatch, seeds: np.ndarray) -> np.ndarray:
        words = [""] * len(batch) if isinstance(batch, MaskedBatch) else batch.instructions
        groups, parts = together(words, self._apart), []
        for rows in groups:
            ask = partial(self._rows, batch, seeds, rows)
            parts += self._halving.run(ask, len(rows))
        return np.concatenate(parts)[np.argsort(np.concatenate(groups))]

    def _rows(self, batch: Batch | MaskedBatch, seeds: np.ndarray, rows: np.ndarray, part: slice) -> np.ndarray:
        return self._chunks(batch.take(rows[part]), seeds[rows[part]])

    def _chunks(self, batch: Batch | MaskedBatch, seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, T, dim) float64 in our units."""
        plain = self._seen(batch)
        torch, policy = self._torch, self.checkpoint.policy
        shown, told = self._shown(plain), self.mapping.tell(plain)
        with torch.inference_mode(), self.precision.kept():
            policy.reset()
            frames = [self._prepared(f, told) for f in (*self._past(plain, seeds), shown)]
            batch_of = queued(policy, self.checkpoint.config, frames)
            out = self._sampling.call(policy.predict_action_chunk, batch_of, seeds, self.device)
            out = self.checkpoint.after(out)
        chunk = out.detach().double().cpu().numpy()
        if chunk.ndim != 3 or (len(chunk), chunk.shape[2]) != (len(seeds), self.mapping.action.dim):
            raise AgentError(
                f"the policy's chunk has shape {chunk.shape}; ({len(seeds)}, steps, {self.mapping.action.dim}) was due"
            )
        return self.mapping.actions(chunk, plain)

    def _seen(self, batch: Batch | MaskedBatch) -> Batch:
        """Masked views are blended on the device."""
        if isinstance(batch, Batch):
            return batch
        from hansgym.agents.kernels.torch import materialise

        return materialise(batch, device=self.device)

    def _shown(self, batch: Batch) -> dict[str, Any]:
        """Input -> pictures, states: NumPy, or tensors where the pictures are on the device and need no change."""
        tensors = any(isinstance(i, self._torch.Tensor) for i in batch.images.values())
        if not tensors:
            return dict(self.mapping.observe(batch))
        if all(batch.images[v.camera].shape[1:3] == v.size for v in self._plain.values()):
            pictures = {key: batch.images[v.camera] for key, v in self._plain.items()}
            return {**pictures, **{s.key: s.feel(batch.state) for s in self.mapping.states}}
        host = {c: self._torch.as_tensor(i).cpu().numpy() for c, i in batch.images.items()}
        return dict(self.mapping.observe(batch.with_images(host)))

    def _past(self, batch: Batch, seeds: np.ndarray) -> list[Frame]:
        """The frames before this one, oldest first, each with a row for every row of ``batch``."""
        if self._history.length == 1:
            return []
        rows = [self._history.before(int(lane), int(s)) for lane, s in zip(batch.rows, seeds, strict=True)]
        return [
            {key: np.stack([row[back][key] for row in rows]) for key in rows[0][back]}
            for back in range(self._history.length - 1)
        ]

    def _prepared(self, shown: Mapping[str, Any], told: Sequence[str]) -> dict[str, Any]:
        """One frame as the policy takes it: LeRobot's names and layout, through the checkpoint's own processor."""
        views = {v.key: v for v in self.mapping.views}
        tensors: dict[str, Any] = {"task": list(told)}
        for key, value in shown.items():
            tensor = self._torch.as_tensor(value, device=self.device)
            if key in views:
                tensor = tensor if views[key].layout == "chw" else tensor.permute(0, 3, 1, 2)
                tensor = tensor.float() / 255 if tensor.dtype == self._torch.uint8 else tensor
            tensors[key] = tensor.contiguous()
        # The processor adds an empty action, which policies would look for in their queues.
        return {k: v for k, v in self.checkpoint.before(tensors).items() if k != "action"}
