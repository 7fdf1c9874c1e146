"""What a Torch policy does, counted, and what the machine can do, measured: the two axes of a roofline.

Operations are multiplications and additions of matrix products, convolutions and attention, by Torch's own formulas,
for each kind of number that they are done in. Bytes are counted twice. *Least*: every tensor that was there before
(weights, pictures) is read once per call, which no program can avoid. *Moved*: every operator reads its inputs and
writes its outputs, as if there were neither caches nor fused operators.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

MATRIX = {"cpu": 1024, "cuda": 8192}
COPIED_BYTES = {"cpu": 1 << 26, "cuda": 1 << 30}


@dataclass
class Counts:
    """``least_bytes`` and ``moved_bytes`` of some calls, and their operations: ``kinds``, by :func:`kind` of number;
    ``devices``: moved bytes on each device."""

    least_bytes: int = 0
    moved_bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)

    @property
    def operations(self) -> int:
        """Of all kinds."""
        return self.kinds.total()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count one call of a policy."""
        # Torch's counter takes composite operators apart, and hands us what they are made of.
        with _Operators(self), FlopCounterMode(display=False):
            yield

    @property
    def device(self) -> str:
        """Where most bytes are: ``cpu`` or ``cuda``."""
        return self.devices.most_common(1)[0][0] if self.devices else "cpu"


def kind(tensor: Tensor) -> str:
    """What numbers a matrix product that makes ``tensor`` is done in: ``bfloat16``, ``float32``, …, or ``tf32``, which
    is float32 rounded to ten bits, where a GPU is allowed to.
    """
    allowed = tensor.is_cuda and tensor.dtype is torch.float32 and torch.backends.cuda.matmul.allow_tf32
    return "tf32" if allowed else str(tensor.dtype).removeprefix("torch.")


class _Operators(TorchDispatchMode):
    """Adds up what every operator does, reads and writes; views move nothing."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts
        # Addresses of what an operator has made or what has been counted. Whatever was there before the call lives on
        # during it, so that its address is nobody else's; intermediate results are not kept for the count's sake.
        self.known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        read = [t for t in tree_leaves((args, kwargs or {})) if isinstance(t, Tensor)]
        mine = {t.untyped_storage().data_ptr() for t in read}
        written = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        if func._overloadpacket in flop_registry and written:
            done = flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=out)
            self.counts.kinds[kind(written[0])] += int(done)
        fresh = [t for t in written if t.untyped_storage().data_ptr() not in mine]
        for tensor in read:
            self._first(tensor)
        if fresh or not written or func._schema.is_mutable:
            for tensor in [*read, *fresh]:
                self._moved(tensor)
        self.known |= {t.untyped_storage().data_ptr() for t in fresh}
        return out

    def _first(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.known:
            self.known.add(storage.data_ptr())
            self.counts.least_bytes += storage.nbytes()

    def _moved(self, tensor: Tensor) -> None:
        # Rows that are one in memory (stride 0) are read once.
        size = tensor.element_size()
        for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
            size *= length if stride else min(length, 1)
        self.counts.moved_bytes += size
        self.counts.devices[tensor.device.type] += size


def circumstances() -> dict[str, Any]:
    """Torch's version, its threads, and the GPU's name or None."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "gpu": gpu}


@dataclass(frozen=True)
class Peak:
    """Operations a second that this machine reached in a large matrix product of each kind of number, and bytes a
    second in a large copy."""

    operations_per_s: Mapping[str, float]
    bytes_per_s: float

    def seconds(self, kinds: Mapping[str, int]) -> float:
        """How long so many operations of each kind take at that speed."""
        return sum(count / self.operations_per_s[kind] for kind, count in kinds.items())


def synchronise(device: str) -> None:
    """Wait until ``device`` has done all that it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def peak(device: str, kinds: Iterable[str], repeats: int = 5) -> Peak:
    """Measure both on ``device`` with these kinds of number (:func:`kind`); medians."""
    length = COPIED_BYTES.get(device, COPIED_BYTES["cpu"])
    source = torch.ones(length, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = _seconds(lambda: target.copy_(source), device, repeats)
    return Peak({kind: _product(device, kind, repeats) for kind in kinds}, 2 * length / copy)


def _product(device: str, kind: str, repeats: int) -> float:
    """Operations a second in a large matrix product of random numbers (zeros and ones need less power)."""
    size = MATRIX.get(device, MATRIX["cpu"])
    made = torch.Generator(device).manual_seed(0)
    a = torch.randn(size, size, device=device, generator=made)
    a = a if kind == "tf32" else a.to(getattr(torch, kind))
    out, matmul = torch.empty_like(a), torch.backends.cuda.matmul
    usual, matmul.allow_tf32 = matmul.allow_tf32, kind == "tf32"
    try:
        return 2 * size**3 / _seconds(lambda: torch.mm(a, a, out=out), device, repeats)
    finally:
        matmul.allow_tf32 = usual


def _seconds(work: Callable[[], object], device: str, repeats: int) -> float:
    found = []
    for _ in range(repeats + 2):
        synchronise(device)
        start = time.perf_counter()
        work()
        synchronise(device)
        found.append(time.perf_counter() - start)
    return statistics.median(found[2:])  # the first ones warm up


def bound_by(counts: Counts, reached: Peak, policy_s: float) -> tuple[str, dict[str, float]]:
    """What bounds a policy that took ``policy_s`` seconds, in words, and the shares of that time that its operations,
    its least bytes and its moved bytes would take at the machine's peak. A share over a half is a bound; operations and
    moved bytes are added where neither is, since operators run one after the other.
    """
    shares = {
        "operations": reached.seconds(counts.kinds) / policy_s,
        "least_bytes": counts.least_bytes / reached.bytes_per_s / policy_s,
        "moved_bytes": counts.moved_bytes / reached.bytes_per_s / policy_s,
    }
    if max(shares["operations"], shares["least_bytes"]) >= 0.5:
        first = "arithmetic" if shares["operations"] >= shares["least_bytes"] else "reading weights and pictures"
        return first, shares
    if shares["moved_bytes"] >= 0.5:
        return "memory traffic between operators", shares
    if shares["operations"] + shares["moved_bytes"] >= 0.5:
        return "arithmetic and memory traffic in turn", shares
    return "neither: calls and small operators", shares
