"""``jax:<module>:<function>``: a JAX policy of your own, a function of (params, batch) to chunks, jitted and batched.

The module may hold, beside the function:

- ``SPEC``: a table of settings as in :class:`hansgym.agents.declaration.Declaration` (control, horizon, cameras, …);
- ``params``: the parameters, any tree of arrays, or a function without arguments that returns them;
- ``encode``: a function from B strings to a tree of arrays with B rows (words cannot be traced).

The function is given ``batch["images"]`` camera -> (B, H, W, 3) uint8, ``batch["state"]`` key -> (B, D) float32,
``batch["words"]`` (what ``encode`` made; absent without it) and, with ``noise_control = "exact"``, ``batch["keys"]``
(B,) random keys, one per row. It is compiled once per power of two of rows; masked images are blended inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hansgym.agents.declaration import Declaration, from_table
from hansgym.agents.kernels.once import Once
from hansgym.agents.python import users_module
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, require, unknown

EXAMPLE = "jax:my_policy:policy"


def make(rest: str, device: str | None = None, **settings: Any) -> JaxAgent:
    """``jax:my_policy:policy`` or ``jax:my_policy:policy,device=cpu``; ``settings`` win over the module's ``SPEC``."""
    name, _, more = rest.partition(",")
    device = device or parse_options(more, {"device": str}, "agent 'jax'").get("device")
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise ConfigurationError(f"'jax:{rest}' names no function; write jax:<module>:<function>, e.g. {EXAMPLE}")
    require("jax", "jax")
    module = users_module(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        callables = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise unknown(f"function of module {module_name!r}", function_name, callables or ("(none)",))
    spec = getattr(module, "SPEC", {})
    if not isinstance(spec, Mapping):
        raise ConfigurationError(f"SPEC of {module_name!r} is {type(spec).__name__}; it must be a table of settings")
    declared = from_table({**spec, **settings}, function_name, f"SPEC of {module_name!r}")
    params = getattr(module, "params", None)
    return JaxAgent(
        function, params() if callable(params) else params, declared, getattr(module, "encode", None), device
    )


class JaxAgent:
    """A JAX function behind the agent protocol."""

    def __init__(
        self,
        function: Callable[[Any, dict[str, Any]], Any],
        params: Any,
        declared: Declaration,
        encode: Callable[[Sequence[str]], Any] | None = None,
        device: str | None = None,
    ) -> None:
        """``device``: ``cpu``, ``gpu`` or ``tpu``; by default the first that JAX finds."""
        self._jax = require("jax", "jax")
        self.device = _device(self._jax, device)
        self._params = self._jax.device_put(params, self.device)
        self._encode, self._declared = encode, declared
        self.spec = declared.spec(lazy=True)
        self._plain = self._jax.jit(function)
        self._masked = self._jax.jit(_blending(function))
        self._once = Once()

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: a function of the observation has no memory."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64 for the rows of ``batch``."""
        rows = len(batch)
        size = min(1 << (rows - 1).bit_length(), max(rows, self.spec.max_batch))
        seeds = np.asarray(noise_seeds, np.uint64)
        if isinstance(batch, MaskedBatch):
            out = self._ask_masked(batch, seeds, size)
            state: Mapping[str, np.ndarray] = _repeated(batch.base.state, rows)
        else:
            given = self._inputs(batch, size) | self._keys(seeds, size)
            given["images"] = {c: _padded(batch.images[c], size) for c in self.spec.cameras}
            out, state = self._call(self._plain, given), batch.state
        return self._declared.finish(np.asarray(out[:rows], np.float64), state)

    def _ask_masked(self, batch: MaskedBatch, seeds: np.ndarray, size: int) -> Any:
        from hansgym.agents.kernels.jax import looks

        # What the slices of one observation share travels once.
        shown = self._once.of(batch.base, f"looks {batch.blur_sigma_px}", lambda: self._sent(looks(batch)))
        given = {
            "looks": {c: shown[c] for c in self.spec.cameras},
            "bits": {c: _padded(batch.bits[c], size) for c in self.spec.cameras},
            "shared": self._once.of(batch.base, "shared", lambda: self._sent(self._inputs(batch.base, 1))),
            **self._keys(seeds, size),
        }
        return self._call(self._masked, given)

    def _sent(self, tree: Any) -> Any:
        return self._jax.device_put(tree, self.device)

    def _call(self, function: Any, given: Any) -> Any:
        out = function(self._params, self._jax.device_put(given, self.device))
        if not hasattr(out, "__array__"):
            raise AgentError(
                f"policy {self.spec.name!r} returned {type(out).__name__}; the function must return an array of chunks"
            )
        return out

    def _inputs(self, batch: Batch, size: int) -> dict[str, Any]:
        """State and words of the rows, padded to ``size``."""
        found: dict[str, Any] = {"state": {k: _padded(v, size) for k, v in batch.state.items()}}
        if self._encode is not None:
            words = self._jax.tree.map(np.asarray, self._encode(batch.instructions))
            for leaf in self._jax.tree.leaves(words):
                if leaf.shape[:1] != (len(batch),):
                    raise AgentError(
                        f"encode gave shape {leaf.shape} for {len(batch)} instructions; it needs one row each"
                    )
            found["words"] = self._jax.tree.map(lambda a: _padded(a, size), words)
        return found

    def _keys(self, seeds: np.ndarray, size: int) -> dict[str, Any]:
        if self.spec.noise_control != "exact":
            return {}
        halves = np.stack([seeds >> np.uint64(32), seeds & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)
        return {"keys": self._jax.random.wrap_key_data(_padded(halves, size), impl="threefry2x32")}


def _blending(function: Callable[[Any, dict[str, Any]], Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """``function`` of masks of one observation: blending and repeating belong to the same compiled program."""

    def masked(params: Any, given: dict[str, Any]) -> Any:
        import jax
        import jax.numpy as jnp

        from hansgym.agents.kernels.jax import blend

        bits = given["bits"]
        size = len(next(iter(bits.values())))
        batch = jax.tree.map(lambda a: jnp.broadcast_to(a, (size, *a.shape[1:])), given["shared"])
        batch["images"] = {c: blend(given["looks"][c][0], given["looks"][c][1], b) for c, b in bits.items()}
        if "keys" in given:
            batch["keys"] = given["keys"]
        return function(params, batch)

    return masked


def _device(jax: Any, wanted: str | None) -> Any:
    try:
        return jax.devices(wanted)[0] if wanted else jax.devices()[0]
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"device {wanted!r} cannot be used: {reason}; choose cpu, gpu or tpu") from None


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """``array`` with ``size`` rows; the last one is repeated, so that no row holds numbers that cannot occur."""
    array = np.asarray(array)
    short = size - len(array)
    return np.concatenate([array, np.repeat(array[-1:], short, axis=0)]) if short > 0 else array


def _repeated(state: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    return {k: np.broadcast_to(v[:1], (rows, *v.shape[1:])) for k, v in state.items()}
