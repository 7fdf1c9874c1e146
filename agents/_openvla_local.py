"""OpenVLA in this process: batches of greedy actions, and how probable the model holds an action to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.abilities import TokenScores
from hansgym.agents import _action_tokens as tokens_
from hansgym.agents._halving import Halving
from hansgym.agents._openvla_checkpoint import Checkpoint, inspect, load
from hansgym.agents._openvla_decoder import Decoder, with_empty_token
from hansgym.agents._openvla_pictures import Pictures
from hansgym.agents.kernels.numpy import repeated
from hansgym.agents.mapping import PolicyMapping
from hansgym.agents.mapping import load as mapping_called
from hansgym.agents.torch import device_called
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, require, unknown, yes
from hansgym.specs import AgentSpec

PROMPTS = {
    "openvla": "In: What action should the robot take to {instruction}?\nOut:",
    "v01": "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. "
    "USER: What action should the robot take to {instruction}? ASSISTANT:",
}
"""What the checkpoints were trained with, the instruction in lower case; ``v01`` is the first release's."""

DTYPES = ("bfloat16", "float16", "float32")


KINDS: dict[str, Callable[[str], Any]] = {
    "mapping": str,
    "unnorm_key": str,
    "horizon": int,
    "prompt": str,
    "trust_remote_code": yes,
    "code": str,
    "device": str,
    "dtype": str,
    "max_batch": int,
}


@dataclass(frozen=True)
class Options:
    """What the user may say. ``mapping``: a mapping with one picture to look at and the meaning of the numbers.

    ``horizon``: keep only so many control steps (0: all). ``prompt``: one of :data:`PROMPTS`. ``dtype``: of
    :data:`DTYPES`, by default bfloat16 on an accelerator and float32 on the host. ``max_batch``: rows that are tried at
    once; halved when memory runs out. The others are told in :func:`hansgym.agents.openvla.make`.
    """

    mapping: str | PolicyMapping = "openvla_bridge"
    unnorm_key: str | None = None
    horizon: int = 0
    prompt: str = ""
    trust_remote_code: bool = False
    code: str | None = None
    device: str | None = None
    dtype: str | None = None
    max_batch: int = 128

    def __post_init__(self) -> None:
        if self.prompt and self.prompt not in PROMPTS:
            raise unknown("prompt", self.prompt, PROMPTS)
        if self.dtype is not None and self.dtype not in DTYPES:
            raise unknown("dtype", self.dtype, DTYPES)
        if self.horizon < 0 or self.max_batch < 1:
            raise ConfigurationError(f"horizon={self.horizon}, max_batch={self.max_batch}; give 1 or more of each")


def make(folder: str, text: str, given: Mapping[str, Any]) -> OpenvlaLocalAgent:
    """The agent in ``folder``, from the options in ``text`` and ``given`` (which win)."""
    for key in given:
        if key not in KINDS:
            raise unknown("option of agent 'openvla'", key, KINDS)
    options = Options(**{**parse_options(text, KINDS, "agent 'openvla'"), **given})
    path = Path(folder).expanduser()
    code = None if options.code is None else Path(options.code).expanduser()
    files = inspect(path, options.unnorm_key, options.trust_remote_code, code)
    torch = require("torch", "openvla")
    device = device_called(torch, options.device)
    dtype = getattr(torch, options.dtype or ("float32" if device.type == "cpu" else "bfloat16"))
    if not options.prompt and "v01" in path.resolve().name:
        options = replace(options, prompt="v01")
    return OpenvlaLocalAgent(load(files, device, dtype), options)


class OpenvlaLocalAgent:
    """An OpenVLA model behind the agent protocol, which also scores tokens (:mod:`hansgym.abilities`).

    One action per inference, the most probable token by token: ``deterministic``. It sees the mapping's first picture
    and nothing of the arm's state.
    """

    def __init__(self, checkpoint: Checkpoint, options: Options = Options()) -> None:
        self._torch = require("torch", "openvla")
        self.mapping = mapping_called(options.mapping)
        self.checkpoint, self.options = checkpoint, options
        self._device, dtype = self._placed(checkpoint.model)
        width = len(checkpoint.statistics.low)
        if self.mapping.action.dim != width:
            raise ConfigurationError(
                f"actions of {checkpoint.statistics.key!r} have {width} numbers; mapping {self.mapping.name!r} means "
                f"{self.mapping.action.dim}: choose the mapping that fits, or give mapping=<file>.toml"
            )
        self._pictures = Pictures(checkpoint.image_processor, self._view(), self._device, dtype)
        self._decoder = Decoder(checkpoint.model, width)
        self._halving = Halving(options.max_batch, checkpoint.name, self._free)
        self.spec = self._spec()

    @property
    def network(self) -> tuple[Any, str]:
        """The decoding of an action, without the pictures' and words' preparation."""
        return self._decoder, "greedy"

    @property
    def device(self) -> Any:
        """The Torch device that the model is on."""
        return self._device

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: every action depends on the present picture and words alone."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64; the noise seeds are not used."""
        return self.act_tokens(batch, noise_seeds)[0]

    def act_tokens(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The chunks of :meth:`act` and the tokens (B, A) int64 that say them, decoded once."""
        ids = self.action_tokens(batch)
        numbers = self.checkpoint.vocabulary.numbers(ids)
        actions = self.checkpoint.statistics.unnormalise(numbers)[:, None]
        plain = batch if isinstance(batch, Batch) else repeated(batch.base, len(batch))
        return self.mapping.actions(actions, plain)[:, : self.spec.horizon], ids

    def action_tokens(self, batch: Batch | MaskedBatch) -> np.ndarray:
        """(B, A) int64: the tokens of the action that :meth:`act` takes. Those below or above the action vocabulary are
        read as its nearest end, as by the published code; :meth:`score_tokens` shows how much of that there is.
        """

        def ask(prompt: Any, pixels: Any, _: Any) -> np.ndarray:
            tokens: np.ndarray = self._decoder.greedy(prompt, pixels).cpu().numpy()
            return tokens

        return self._in_batches(batch, ask, np.zeros((len(batch), self._decoder.length), np.int64))

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        """Log-probabilities of ``tokens`` (B, A), or of one action (A,) for all rows; None: of the agent's own.

        Teacher-forced: one forward pass says all of them. Its rounding differs from token-by-token decoding, in
        bfloat16 by some hundredths of a nat.
        """
        given = self.action_tokens(batch) if tokens is None else np.asarray(tokens)
        shape = (len(batch), self._decoder.length)
        if given.dtype.kind not in "iu" or given.shape not in (shape, shape[1:]):
            raise AgentError(f"tokens are {given.dtype} of shape {given.shape}; whole numbers of shape {shape} must be")
        known = self.checkpoint.vocabulary.total
        if given.size and not 0 <= given.min() <= given.max() < known:
            raise AgentError(f"tokens go from {given.min()} to {given.max()}; they must be ids from 0 to {known - 1}")
        given = np.broadcast_to(given, shape).astype(np.int64)

        def ask(prompt: Any, pixels: Any, ids: Any) -> np.ndarray:
            logits = self._decoder.logits(prompt, pixels, ids)
            return np.stack(tokens_.scores(logits, ids, self.checkpoint.vocabulary), axis=2)

        both = self._in_batches(batch, ask, given)
        return TokenScores(given, both[..., 0], both[..., 1], self.mapping.action.gripper)

    # ------------------------------------------------------------ batches

    def _in_batches(self, batch: Batch | MaskedBatch, ask: Callable[..., np.ndarray], ids: np.ndarray) -> np.ndarray:
        """``ask(prompt, pixels, ids)`` for all rows, in batches of equally long prompts that fit into memory."""
        prompts = self._prompts(batch)
        lengths = np.array([len(p) for p in prompts])
        answer: np.ndarray | None = None
        for length in np.unique(lengths):
            group = np.flatnonzero(lengths == length)

            def of(part: slice, group: np.ndarray = group) -> np.ndarray:
                rows = group[part]
                with self._torch.inference_mode():
                    prompt = self._tensor(np.array([prompts[r] for r in rows]))
                    return ask(prompt, self._pictures.pixels(batch.take(rows)), self._tensor(ids[rows]))

            parts = np.concatenate(self._halving.run(of, len(group)))
            answer = np.empty((len(batch), *parts.shape[1:]), parts.dtype) if answer is None else answer
            answer[group] = parts
        return np.empty((0, self._decoder.length, 2)) if answer is None else answer

    def _prompts(self, batch: Batch | MaskedBatch) -> list[list[int]]:
        """Ids per row; each text is read once."""
        told = self.mapping.tell(batch if isinstance(batch, Batch) else batch.base)
        known = {text: self._ids(text) for text in dict.fromkeys(told)}
        return [known[text] for text in (told if isinstance(batch, Batch) else told * len(batch))]

    def _ids(self, instruction: str) -> list[int]:
        text = PROMPTS[self.options.prompt or "openvla"].replace("{instruction}", instruction.lower())
        return with_empty_token([int(i) for i in self.checkpoint.tokenizer(text)["input_ids"]])

    def _tensor(self, array: np.ndarray) -> Any:
        return self._torch.as_tensor(np.ascontiguousarray(array), device=self._device)

    def _free(self) -> None:
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()

    # ------------------------------------------------------------ what it says of itself

    def _placed(self, model: Any) -> tuple[Any, Any]:
        first = next(iter(model.parameters()))
        return first.device, first.dtype

    def _view(self) -> Any:
        views = self.mapping.views
        if not views or views[0].layout != "hwc" or views[0].dtype != "uint8":
            raise ConfigurationError(
                f"mapping {self.mapping.name!r} begins with {views[0] if views else 'no camera'}; OpenVLA needs a "
                "[[camera]] of layout hwc and dtype uint8: its own processor does the rest"
            )
        return views[0]

    def _spec(self) -> AgentSpec:
        mapping, view, found = self.mapping, self._pictures.view, self.checkpoint
        steps, unused = mapping.steps(1), [v.key for v in mapping.views[1:]] + [s.key for s in mapping.states]
        if self.options.horizon > steps:
            raise ConfigurationError(
                f"one action of mapping {mapping.name!r} lasts {steps} control steps, horizon={self.options.horizon} "
                f"is more; choose 1 to {steps}"
            )
        flags = [f"the model takes one picture and no state; not shown to it: {', '.join(unused)}"] if unused else []
        return AgentSpec(
            name=f"openvla:{found.name}",
            action=mapping.spec,
            horizon=self.options.horizon or steps,
            cameras=(view.camera,),
            image_size=None if view.size is None else max(view.size),
            noise_control="deterministic",
            max_batch=self.options.max_batch,
            lazy=True,
            details={
                "mapping": mapping.describe(),
                "unnorm_key": found.statistics.key,
                "weights_sha256": found.weights,
                "prompt": self.options.prompt or "openvla",
                "flags": flags,
            },
        )
