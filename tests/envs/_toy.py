"""A throw-away task for tests of the simulator: a graspable block, a post, a hinged flap and a bin to reach."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import mujoco
import numpy as np

from hansgym.envs.conditions import All, Detected, InOrder, NothingGrasped
from hansgym.envs.expert import Goal, down
from hansgym.envs.spec import Area, Prop, Sensor, TaskSpec
from hansgym.envs.state import WorldState
from hansgym.roles import Role

BLOCK = 0.02


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, kind: str = "block") -> None:
    """Fill ``body`` with a block, a post, or a frame with a flap on a hinge."""
    box = mujoco.mjtGeom.mjGEOM_BOX
    touch = {"contype": 2, "conaffinity": 3}
    if kind == "block":
        body.add_geom(
            name=f"{name}/paint", type=box, size=[BLOCK] * 3, pos=[0, 0, BLOCK], mass=0.1, rgba=[1, 1, 1, 1], **touch
        )
    elif kind == "post":
        body.add_geom(name=f"{name}/paint0", type=box, size=[0.02, 0.02, 0.05], pos=[0, 0, 0.05], mass=1.0, **touch)
    else:
        body.add_geom(name=f"{name}/wall", type=box, size=[0.01, 0.05, 0.05], pos=[0, 0, 0.05], mass=1.0, **touch)
        flap = body.add_body(name=f"{name}_flap", pos=[-0.02, 0, 0.05])
        flap.add_joint(
            name=f"{name}_hinge", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1], range=[0, 1.5], damping=0.1
        )
        flap.add_geom(name=f"{name}_flap/plate", type=box, size=[0.005, 0.04, 0.04], mass=0.2, **touch)


@dataclass(frozen=True)
class Over:
    """Stand ``dz`` over ``name`` (the verbs of the toy: enough to pick a block up and put it down)."""

    name: str
    dz: float
    grip: float
    until: str = "near"

    def done(self, state: WorldState) -> bool:
        """Near enough, or holding, or let go, as ``until`` says."""
        if self.until == "held":
            return bool(state.held)
        off = state.tip_position - self.goal(state).position
        near = np.linalg.norm(off[:2]) < 0.005 and off[2] < 0.005
        return bool(near or (state.held and self.until != "placed"))

    def goal(self, state: WorldState) -> Goal:
        """Straight above."""
        there = state.position(self.name) + np.array([0.0, 0.0, BLOCK + self.dz])
        close = state.tip_rotation[:, 1]
        return Goal(there, down(float(np.arctan2(close[1], close[0]))), self.grip)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The place itself."""
        return (Goal(state.position(self.name) + np.array([0.0, 0.0, BLOCK + self.dz]), down(0.0), self.grip),)


def toy(**changes: object) -> TaskSpec:
    """The toy task; ``changes`` replace fields."""
    me = "hansgym_tests.toy_props"  # props of a test live outside the package: the scene takes a full module path
    sys.modules[me] = sys.modules[__name__]
    fields = {
        "name": "toy",
        "props": (
            Prop("block", me, placed_in="field", free=True, graspable=True),
            Prop("post", me, {"kind": "post"}, placed_in="field"),
            Prop("gate", me, {"kind": "gate"}, at=(0.2, 0.0, 0.0, 0.0)),
        ),
        "variations": ({"colour": "red"}, {"colour": "gray"}),
        "instructions": ("put the {colour} block into the bin", "bin it"),
        "roles": (("block", Role.TARGET), ("gate", Role.FIXTURE), ("gate_flap", Role.FIXTURE), ("*", Role.DISTRACTOR)),
        "success": InOrder(Detected("block", "above"), All(Detected("block", "bin"), NothingGrasped())),
        "expert": (
            Over("block", 0.1, 1.0),
            Over("block", 0.0, 1.0),
            Over("block", 0.0, 0.0, "held"),
            Over("bin", 0.06, 0.0, "placed"),
            Over("bin", 0.06, 1.0),
        ),
        "footprint": (0.05, 0.0, 0.4, 0.3),
        "yaw": (-0.5, 0.5),
        "areas": (Area("field", (0.0, 0.0), (0.1, 0.25), 0.14),),
        "sensors": (
            Sensor("bin", (0.06, 0.06, 0.04), at=(-0.1, 0.0, 0.02)),
            Sensor("above", (0.1, 0.1, 0.02), on="block", at=(0.0, 0.0, 0.1), follow="xy"),
        ),
        "colours": (("block", "{colour}"),),
        "joints_at_reset": {"gate_hinge": 0.4},
    }
    return TaskSpec(**{**fields, **changes})  # type: ignore[arg-type]
