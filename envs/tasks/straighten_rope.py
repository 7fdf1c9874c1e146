"""Pull both ends of a curved rope onto their markers."""

from __future__ import annotations

from hansgym.assets.props.rope import RADIUS, head_at
from hansgym.envs.conditions import All, Detected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.lay import Lay
from hansgym.roles import Role

_TABLE_Z = -0.002
_MARKER = (0.10, 0.05)
_SENSOR = (0.08, 0.04, 0.03)

TASK = TaskSpec(
    name="straighten_rope",
    props=(
        Prop("head", "rope", params={"links": "Cylinder", "tail": "tail"}, at=head_at(_TABLE_Z + RADIUS), free=True),
        Prop(
            "head_target", "marker", params={"size": _MARKER, "rgb": (0.2, 0.5, 0.2)}, at=(-0.127, -0.293, -0.0012, 0.0)
        ),
        Prop("head_tail", "marker", params={"size": _MARKER, "rgb": (0.2, 0.7, 0.2)}, at=(-0.127, 0.095, -0.0012, 0.0)),
    ),
    footprint=(-0.096, -0.099, 0.162, 0.438),
    variations=({},),
    instructions=(
        "straighten rope",
        "pull the rope straight",
        "lay the two ends of the rope on the green marks",
        "the rope lies in a curve: stretch it out",
        "take one end of the rope to its mark, then the other one",
        "drag both rope ends outwards until they lie on the markers",
    ),
    roles=(("*", Role.TARGET),),
    sensors=(
        Sensor("success_head", size=_SENSOR, on="head_target", at=(0.0, 0.0, 0.012)),
        Sensor("success_tail", size=_SENSOR, on="head_tail", at=(0.0, 0.0, 0.012)),
    ),
    success=All(Detected("head", "success_head"), Detected("tail", "success_tail")),
    expert=(
        Lay("head_grip", onto="head_target", name="head", sensor="success_head"),
        Lay("tail_grip", onto="head_tail", name="tail", sensor="success_tail"),
    ),
    protocols={"agnostos": Protocol(note="The published rule is the default one.")},
    suites=("agnostos", "agnostos-level2", "deformable"),
    notes="The rope is a chain of eighteen stiff links on damped ball joints; its ends are held by friction alone.",
)
