"""Pull the charger out of the socket in a standing wall."""

from __future__ import annotations

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_FACE_X, _CHARGER_Y, _PIN_Z = 0.123, -0.022, 0.219
_PULL_M = 0.13
# The fingers close over its thin side, so that the hand may come from beside.
_HOLD = Hold("charger", offset=(-0.048, 0.0, 0.0), approach=(1.0, 0.0, 0.0), close=(0.0, 0.0, 1.0), swing_rad=0.7)
_OUT = Carry(
    _HOLD,
    to="task_wall",
    offset=(_FACE_X - 0.141 - _PULL_M, _CHARGER_Y, _PIN_Z),
    into=(-1.0, 0.0, 0.0),
    stand_off_m=_PULL_M,
    tolerance_m=0.005,
    release=False,
    chained=True,
)

TASK = TaskSpec(
    name="unplug_charger",
    props=(
        Prop("task_wall", "wall_socket", params={"plate": "plug"}, at=(0.141, 0.0, -0.002, 0.0)),
        Prop("charger", "charger", at=(_FACE_X - 0.0005, _CHARGER_Y, _PIN_Z - 0.002, 0.0), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "unplug charger",
        "pull the charger out of the socket",
        "take hold of the charger and draw its plug from the wall",
        "the charger is not needed any more: remove it from the wall socket",
        "grip the black charger and tug it free",
        "disconnect the charger from the wall",
    ),
    roles=(("charger", Role.TARGET), ("plug", Role.TARGET), ("task_wall", Role.FIXTURE)),
    sensors=(Sensor("charger_success", size=(0.06, 0.12, 0.10), at=(-0.031, -0.022, 0.195)),),
    success=Detected("charger", "charger_success"),
    expert=(Grip(_HOLD, top_m=1.25, chained=True), _OUT),
    footprint=(0.060, 0.0, 0.190, 0.400),
    yaw=(-0.785, 0.785),
    protocols={"agnostos": Protocol(note="One variation; the published rule is the default one.")},
    suites=("agnostos", "agnostos-level2", "extract"),
    notes=(
        "The pins sit in real slots; nothing but friction holds them. The charger must come into a volume in front of "
        "the socket; letting go is not asked for, as upstream."
    ),
)
