"""``torch:<module>:<Class>``: a Torch policy of your own. Masked images are blended on its device, and stay there.

The class may be a ``torch.nn.Module``; it is put on the device and in evaluation mode. It needs one method,
``predict(images, state, instructions)``: ``images`` camera -> (B, H, W, 3) uint8 and ``state`` key -> (B, D) float32,
tensors on the device, and B strings. It returns chunks (B, horizon, dim). A policy that samples declares
``noise_control = "exact"`` and takes a fourth argument ``seeds`` ((B,) uint64, NumPy), e.g. for
:func:`hansgym.agents.noise.normal`. Other attributes: see :class:`hansgym.agents.declaration.Declaration`.

Masked copies of one observation share their seeds, state and words. A camera that no mask hides is one picture in
memory (stride 0) then: :func:`hansgym.agents.kernels.torch.once_if_shared` encodes it once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hansgym.agents.declaration import from_attributes
from hansgym.agents.kernels.numpy import repeated
from hansgym.agents.python import users_object
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, require

EXAMPLE = "torch:my_policy:MyPolicy"


def make(rest: str, device: str | None = None, **options: Any) -> TorchAgent:
    """``torch:my_policy:MyPolicy`` or ``torch:my_policy:MyPolicy,device=cuda:1``; ``options`` go to the constructor.

    Without a device the GPU is taken where there is one.
    """
    name, _, settings = rest.partition(",")
    device = device or parse_options(settings, {"device": str}, "agent 'torch'").get("device")
    module, _, cls = name.partition(":")
    if not module or not cls:
        raise ConfigurationError(f"'torch:{rest}' names no class; write torch:<module>:<Class>, e.g. {EXAMPLE}")
    torch = require("torch", "torch")
    policy = users_object(module, cls, options)
    if not callable(getattr(policy, "predict", None)):
        raise ConfigurationError(f"policy {name} has no predict(images, state, instructions); write it")
    return TorchAgent(policy, device_called(torch, device))


def device_called(torch: Any, wanted: str | None) -> Any:
    """The Torch device ``wanted``, shown to work; None: the GPU where there is one."""
    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"device {wanted!r} cannot be used: {reason}; choose cpu or cuda:<n>") from None
    return device


class TorchAgent:
    """A Torch policy behind the agent protocol."""

    def __init__(self, policy: Any, device: Any = "cpu") -> None:
        """``policy`` has ``predict`` and declares itself in its attributes; modules are moved and put to ``eval``."""
        self._torch = require("torch", "torch")
        from hansgym.agents.kernels.torch import DeviceInputs

        self.device = self._torch.device(device)
        self._inputs = DeviceInputs(self.device)
        if isinstance(policy, self._torch.nn.Module):
            policy = policy.to(self.device).eval()
        self.policy = policy
        self._declared = from_attributes(policy)
        self.spec = self._declared.spec(lazy=True)
        self._wants_seeds = "seeds" in inspect.signature(policy.predict).parameters

    @property
    def network(self) -> tuple[Any, str]:
        """The user's own method."""
        return self.policy, "predict"

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Passed on to the policy where it has a ``reset``."""
        if callable(getattr(self.policy, "reset", None)):
            self.policy.reset(rows, seeds)

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64 for the rows of ``batch``."""
        images = self._inputs.images(batch, self.spec.cameras)
        state = self._inputs.state(batch)
        plain = batch if isinstance(batch, Batch) else repeated(batch.base, len(batch))
        extra = {"seeds": np.asarray(noise_seeds, np.uint64)} if self._wants_seeds else {}
        with self._torch.inference_mode():
            out = self.policy.predict(images, state, plain.instructions, **extra)
        return self._declared.finish(self._array(out), plain.state)

    def _array(self, out: Any) -> np.ndarray:
        if isinstance(out, Mapping) or not hasattr(out, "__array__"):
            raise AgentError(
                f"policy {self.spec.name!r} returned {type(out).__name__}; predict must return a tensor of chunks"
            )
        if isinstance(out, self._torch.Tensor):
            out = out.detach().double().cpu().numpy() if out.is_floating_point() else out.cpu().numpy()
        return np.asarray(out)
