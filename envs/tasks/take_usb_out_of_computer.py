"""Pull the USB stick out of the port in a computer's top and let go of it."""

from __future__ import annotations

import math

from hansgym.assets.props.usb_computer import PORT, SIZE
from hansgym.envs.conditions import All, NothingGrasped, Undetected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_OUT = All(Undetected("usb", "success"), NothingGrasped())
_PULL_M = 0.06
_HOLD = Hold("usb", offset=(0.0, 0.0, 0.022), symmetry=math.pi / 2)
_AWAY = Carry(
    _HOLD,
    to="computer_port",
    offset=(0.0, 0.0, _PULL_M),
    into=(0.0, 0.0, 1.0),
    stand_off_m=_PULL_M,
    top_m=1.2,
    tolerance_m=0.005,
    when=_OUT,
)

TASK = TaskSpec(
    name="take_usb_out_of_computer",
    props=(
        Prop("computer_visual", "usb_computer", params={"port": "computer_port"}, at=(0.0, 0.0, -0.002, 0.0)),
        Prop("usb", "usb_stick", at=(*PORT, SIZE[2] - 0.0015, 0.0), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "take usb out of computer",
        "pull the USB stick out of the computer's port",
        "remove the memory stick from the computer and let go of it",
        "unplug the red USB stick",
        "the stick is still in the computer: take it out",
    ),
    roles=(("usb", Role.TARGET), ("computer_visual", Role.TARGET)),
    sensors=(Sensor("success", size=(0.02, 0.02, 0.012), on="computer_visual", at=(*PORT, SIZE[2] - 0.008)),),
    success=_OUT,
    expert=(Grip(_HOLD, before=_AWAY, top_m=1.25), _AWAY),
    footprint=(0.0, 0.0, SIZE[0] + 0.02, SIZE[1] + 0.02),
    chance="an arm that flails may knock the stick out of its port",
    protocols={"agnostos": Protocol(note="One variation; the published rule is the default one.")},
    suites=("agnostos", "agnostos-level2", "extract"),
    notes=(
        "The plug stands in a real recess in the tower's top. As upstream, any way of getting it out of there counts; "
        "nothing is asked of where the stick ends."
    ),
)
