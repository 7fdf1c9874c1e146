"""Mistakes of the plumbing between an environment and a policy, each with what would undo it.

A mistake on the way in (pictures, state) is undone by making it once more in what the policy is shown; one on the way
out by changing what it answered. If the undone answers follow the expert and the present ones do not, the mistake is
likely there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hansgym.agents import rotations
from hansgym.agents.contract import ours
from hansgym.agents.convert import convert
from hansgym.agents.views import FLIPS
from hansgym.batch import Batch
from hansgym.specs import AgentSpec

Show = Callable[[Batch], Batch]
Answer = Callable[[np.ndarray, Mapping[str, np.ndarray]], np.ndarray]
"""A chunk (B, horizon, dim) and the state it was made in to another chunk."""


@dataclass(frozen=True)
class Mistake:
    """``kind``: a word for programs; ``says``: what is wrong and what to do; ``show`` or ``answer`` undoes it.

    ``part`` is what it spoils: ``arm`` or ``gripper``.
    """

    kind: str
    says: str
    show: Show | None = None
    answer: Answer | None = None
    part: str = "arm"


def candidates(spec: AgentSpec) -> list[Mistake]:
    """Everything that is tried on an agent of ``spec``, the simple before the odd."""
    found = [*_cameras(spec.cameras), *_pictures(spec.cameras), *_state(), *_gripper()]
    return [*found, *_amounts(spec), *_orders(spec)]


# ---------------------------------------------------------------- on the way in


def _cameras(cameras: tuple[str, ...]) -> list[Mistake]:
    """Every other assignment of pictures to names, swaps of two first."""
    orders = [o for o in itertools.permutations(cameras) if o != cameras]
    moved = [[c for c, o in zip(cameras, order, strict=True) if c != o] for order in orders]
    found = []
    for order, changed in sorted(zip(orders, moved, strict=True), key=lambda pair: len(pair[1])):
        # The pictures that the policy gets under its names were shifted by the mistake; shifting on brings them home.
        says = (
            f"cameras {changed[0]} and {changed[1]} are swapped; exchange them"
            if len(changed) == 2
            else f"the cameras are in the wrong order; give {', '.join(order)} where {', '.join(cameras)} goes now"
        )
        kind = "swapped_cameras" if len(changed) == 2 else "camera_order"
        found.append(Mistake(kind, says, show=_reordered(dict(zip(cameras, order, strict=True)))))
    return found


def _reordered(source: Mapping[str, str]) -> Show:
    return lambda batch: batch.with_images({**batch.images, **{c: batch.images[s] for c, s in source.items()}})


def _pictures(cameras: tuple[str, ...]) -> list[Mistake]:
    says = {
        "vertical": ("upside_down", "upside down; flip the rows"),
        "rotate_180": ("rotated_180", "turned by 180 degrees; turn back"),
        "horizontal": ("mirrored", "mirrored left to right; flip the columns"),
    }
    found = [
        Mistake("bgr", "colours come in the order BGR where RGB is meant; reverse the channels", _images(_reversed))
    ]
    for flip, (kind, words) in says.items():
        found.append(Mistake(kind, f"the pictures are {words}", show=_images(FLIPS[flip], cameras)))
    if len(cameras) > 1:
        for camera, flip in itertools.product(cameras, ("vertical", "rotate_180")):
            kind, words = says[flip]
            found.append(Mistake(kind, f"the pictures of {camera} are {words}", show=_images(FLIPS[flip], (camera,))))
    return found


def _reversed(images: np.ndarray) -> np.ndarray:
    return images[..., ::-1]


def _images(change: Callable[[np.ndarray], np.ndarray], cameras: tuple[str, ...] | None = None) -> Show:
    def show(batch: Batch) -> Batch:
        changed = {c: np.ascontiguousarray(change(batch.images[c])) for c in cameras or batch.images}
        return batch.with_images({**batch.images, **changed})

    return show


def _state() -> list[Mistake]:
    def scaled(factor: float) -> Show:
        keys = ("joint_positions", "joint_velocities")
        return lambda b: replace(b, state={**b.state, **{k: (b.state[k] * factor).astype(np.float32) for k in keys}})

    return [
        Mistake("state_degrees", "measured joints arrive in radians where degrees are meant", show=scaled(180 / np.pi)),
        Mistake("state_degrees", "measured joints arrive in degrees where radians are meant", show=scaled(np.pi / 180)),
    ]


# ---------------------------------------------------------------- on the way out


def _gripper() -> list[Mistake]:
    def turned(chunk: np.ndarray, state: Mapping[str, np.ndarray]) -> np.ndarray:
        out = chunk.copy()
        # Numbers below 0 tell that the range is -1 to 1, whose middle is 0.
        out[..., -1] = (-chunk[..., -1] if (chunk[..., -1] < -0.25).any() else 1.0 - chunk[..., -1]).clip(0, 1)
        return out

    says = "the gripper is inverted: it opens where the expert closes; here 1 opens and 0 closes"
    return [Mistake("inverted_gripper", says, answer=turned, part="gripper")]


def _amounts(spec: AgentSpec) -> list[Mistake]:
    mode = spec.action.mode
    space = "joint" if mode.startswith("joint") else "ee"
    angles = np.array([unit == "rad" for unit in spec.action.units])
    found = []
    if angles.any():
        once, twice = "are in degrees where radians are meant; convert them", "are radians already; do not convert them"
        for factor, words in ((np.pi / 180, once), (180 / np.pi, twice)):
            says = f"angles of the answer {words}"
            found.append(Mistake("degrees", says, answer=_scaled(np.where(angles, factor, 1.0))))
    if not spec.action.delta:
        for kind, words in (("step_delta", "from step to step"), ("chunk_delta", "from the measured state")):
            says = f"the answer is a change {words}, taken as absolute; choose a delta mode, or add it up"
            found.append(Mistake("delta_as_absolute", says, answer=_reread(mode, kind)))
    else:
        absolute = "joint_position" if space == "joint" else "ee_pose"
        says = f"the answer is absolute, taken as a change; choose control={absolute!r}"
        found.append(Mistake("absolute_as_delta", says, answer=_reread(mode, "absolute")))
    return found


def _scaled(factors: np.ndarray) -> Answer:
    return lambda chunk, state: chunk * factors


def _reread(mode: str, kind: str) -> Answer:
    """The answer read as numbers of another kind, in the same frame and format."""
    own = ours(mode)
    frame = "world" if own.space == "ee" and kind == "absolute" else own.frame
    return lambda chunk, state: convert(chunk, replace(own, kind=kind, frame=frame), own, state)


def _orders(spec: AgentSpec) -> list[Mistake]:
    if spec.action.rotation != "quaternion_xyzw":
        return []

    def reordered(chunk: np.ndarray, state: Mapping[str, np.ndarray]) -> np.ndarray:
        out = chunk.copy()
        matrices = rotations.to_matrix(chunk[..., 3:7], "quaternion_wxyz")
        out[..., 3:7] = rotations.from_matrix(matrices, "quaternion_xyzw")
        return out

    says = "quaternions come as w, x, y, z where x, y, z, w is meant; reorder them"
    return [Mistake("quaternion_order", says, answer=reordered)]
