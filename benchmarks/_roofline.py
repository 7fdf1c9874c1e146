"""What a Torch policy does, counted, and what the machine can do, measured: the two axes of a roofline.

Operations are multiplications and additions of matrix products, convolutions and attention, as Torch's own counter
has them. Bytes are counted twice. *Least*: every tensor that was there before (weights, pictures) is read once per
call, which no program can avoid. *Moved*: every operator reads its inputs and writes its outputs, as if there were
neither caches nor fused operators.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

MATRIX = {"cpu": 1024, "cuda": 8192}
COPIED_BYTES = {"cpu": 1 << 26, "cuda": 1 << 30}


@dataclass
class Counts:
    """``operations``, ``least_bytes`` and ``moved_bytes`` of some calls; ``dtypes``: moved bytes of each kind of float,
    ``devices`` of each device."""

    operations: int = 0
    least_bytes: int = 0
    moved_bytes: int = 0
    dtypes: Counter[torch.dtype] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count one call of a policy."""
        bytes_, flops = _Bytes(self), FlopCounterMode(display=False)
        with bytes_, flops:
            yield
        self.operations += int(flops.get_total_flops())

    @property
    def dtype(self) -> torch.dtype:
        """The kind of float that most bytes belong to."""
        return self.dtypes.most_common(1)[0][0] if self.dtypes else torch.float32

    @property
    def device(self) -> str:
        """Where most bytes are: ``cpu`` or ``cuda``."""
        return self.devices.most_common(1)[0][0] if self.devices else "cpu"


class _Bytes(TorchDispatchMode):
    """Adds up what every operator reads and writes; views move nothing."""

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
        if tensor.is_floating_point():
            self.counts.dtypes[tensor.dtype] += size
        self.counts.devices[tensor.device.type] += size


def circumstances() -> dict[str, Any]:
    """Torch's version, its threads, and the GPU's name or None."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "gpu": gpu}


@dataclass(frozen=True)
class Peak:
    """Operations and bytes a second that this machine reached in a large matrix product and a large copy."""

    operations_per_s: float
    bytes_per_s: float


def synchronise(device: str) -> None:
    """Wait until ``device`` has done all that it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def peak(device: str, dtype: torch.dtype, repeats: int = 5) -> Peak:
    """Measure both on ``device`` with numbers of ``dtype``; medians."""
    size, length = MATRIX.get(device, MATRIX["cpu"]), COPIED_BYTES.get(device, COPIED_BYTES["cpu"])
    a = torch.ones(size, size, dtype=dtype, device=device)
    out = torch.empty_like(a)
    source = torch.ones(length, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    product = _seconds(lambda: torch.mm(a, a, out=out), device, repeats)
    copy = _seconds(lambda: target.copy_(source), device, repeats)
    return Peak(2 * size**3 / product, 2 * length / copy)


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
    its least bytes and its moved bytes would take at the machine's peak. A share over a half is a bound.
    """
    shares = {
        "operations": counts.operations / reached.operations_per_s / policy_s,
        "least_bytes": counts.least_bytes / reached.bytes_per_s / policy_s,
        "moved_bytes": counts.moved_bytes / reached.bytes_per_s / policy_s,
    }
    if max(shares["operations"], shares["least_bytes"]) >= 0.5:
        first = "arithmetic" if shares["operations"] >= shares["least_bytes"] else "reading weights and pictures"
        return first, shares
    if shares["moved_bytes"] >= 0.5:
        return "memory traffic between operators", shares
    return "neither: calls and small operators", shares
