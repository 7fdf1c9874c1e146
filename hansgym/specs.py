"""What agent and environment tell each other before the first step: cameras, sizes, and the meaning of an action."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from hansgym.errors import ConfigurationError, ContractError
from hansgym.lookup import unknown

ControlMode = Literal["joint_position", "joint_delta", "ee_pose", "ee_delta"]
NoiseControl = Literal["deterministic", "exact", "rng", "none"]

CAMERAS = ("front", "overhead", "wrist")
CONTROL_HZ = 20
CONTROL_DT_S = 1.0 / CONTROL_HZ

_JOINTS = tuple(f"joint{i}" for i in range(1, 8))
_XYZ = ("x", "y", "z")

# mode -> (dimension names without the gripper, frame, rotation format, unit of each dimension)
_MODES: dict[str, tuple[tuple[str, ...], str, str, tuple[str, ...]]] = {
    "joint_position": (_JOINTS, "joint", "none", ("rad",) * 7),
    "joint_delta": (_JOINTS, "joint", "none", ("rad",) * 7),
    "ee_pose": ((*_XYZ, "qx", "qy", "qz", "qw"), "world", "quaternion_xyzw", ("m",) * 3 + ("1",) * 4),
    "ee_delta": ((*_XYZ, "rx", "ry", "rz"), "base", "rotation_vector", ("m",) * 3 + ("rad",) * 3),
}
CONTROL_MODES = tuple(_MODES)


@dataclass(frozen=True)
class ActionSpec:
    """The action contract: what each number of an action means.

    ``scale`` multiplies each dimension before attributions square it (1 as published). The gripper is always the last
    dimension: 1 opens, 0 closes. Build one with :meth:`of`.
    """

    mode: ControlMode
    names: tuple[str, ...]
    units: tuple[str, ...]
    frame: str
    rotation: str
    delta: bool
    gripper: str = "last, 1 open 0 closed"
    rate_hz: int = CONTROL_HZ
    scale: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.scale:
            object.__setattr__(self, "scale", (1.0,) * len(self.names))
        if len(self.scale) != len(self.names) or len(self.units) != len(self.names):
            raise ConfigurationError(
                f"an action of {len(self.names)} dimensions needs as many units and scales, "
                f"got {len(self.units)} and {len(self.scale)}"
            )

    @classmethod
    def of(cls, mode: str, scale: tuple[float, ...] = ()) -> ActionSpec:
        """The contract of control ``mode`` (one of :data:`CONTROL_MODES`)."""
        if mode not in _MODES:
            raise unknown("control mode", mode, CONTROL_MODES)
        names, frame, rotation, units = _MODES[mode]
        return cls(
            mode=mode,  # type: ignore[arg-type]
            names=(*names, "gripper"),
            units=(*units, "1"),
            frame=frame,
            rotation=rotation,
            delta=mode.endswith("delta"),
            scale=scale,
        )

    @property
    def dim(self) -> int:
        """Number of dimensions, gripper included."""
        return len(self.names)

    @property
    def arm(self) -> slice:
        """The dimensions that move the arm."""
        return slice(0, self.dim - 1)

    def check(self, other: ActionSpec) -> None:
        """Raise :class:`ContractError` naming every field in which ``other`` (the environment's) differs."""
        mine, theirs = asdict(self), asdict(other)
        wrong = [k for k in mine if k != "scale" and mine[k] != theirs[k]]
        if wrong:
            listed = "; ".join(f"{k}: agent {mine[k]!r}, environment {theirs[k]!r}" for k in wrong)
            raise ContractError(
                f"agent and environment mean different things by an action ({listed}). "
                f"Make the environment with control={self.mode!r}, or convert the agent's actions to {other.mode!r}"
            )


@dataclass(frozen=True)
class AgentSpec:
    """What an agent declares about itself; probed by ``hansgym check-agent``, never assumed.

    ``image_size`` is the height and width in pixels it wants (None: whatever the environment has). ``max_batch`` is the
    most rows that one :meth:`Agent.act` call may carry. ``needs`` lists privileged inputs (``"expert_chunk"``);
    ``lazy`` says that ``act`` takes a :class:`hansgym.batch.MaskedBatch` and blends on its own device.
    """

    name: str
    action: ActionSpec
    horizon: int
    cameras: tuple[str, ...] = CAMERAS
    image_size: int | None = None
    noise_control: NoiseControl = "deterministic"
    max_batch: int = 64
    needs: frozenset[str] = frozenset()
    lazy: bool = False
    details: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.horizon < 1 or self.max_batch < 1:
            raise ConfigurationError(f"horizon and max_batch must be at least 1, got {self.horizon}, {self.max_batch}")
        bad = sorted(set(self.cameras) - set(CAMERAS))
        if bad:
            raise unknown("camera", bad[0], CAMERAS)


def check_chunk(chunk: np.ndarray, rows: int, spec: AgentSpec) -> np.ndarray:
    """Return ``chunk`` as float64 (rows, horizon, dim), or raise :class:`ContractError` saying what is off."""
    array = np.asarray(chunk)
    want = (rows, spec.horizon, spec.action.dim)
    if array.dtype.kind not in "fiu":
        raise ContractError(f"agent {spec.name!r} returned dtype {array.dtype}; a chunk must hold real numbers")
    if array.shape != want:
        raise ContractError(f"agent {spec.name!r} returned shape {array.shape}; (rows, horizon, dim) = {want} was due")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ContractError(
            f"agent {spec.name!r} returned {array[where]} at (row, step, dimension) = {where}; "
            "every number of a chunk must be finite"
        )
    return array.astype(np.float64)
