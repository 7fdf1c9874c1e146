"""Stack blocks of one colour on a green square. Variations: the colour and how many, as published."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, AtLeast, Detected, NothingGrasped
from hansgym.envs.spec import COLOURS, Area, Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_EDGE, _COUNTS = 0.050, (2, 3, 4)
_PLANE, _COLUMN = "stack_blocks_target_plane", "stack_blocks_success"
_TARGETS = tuple(f"stack_blocks_target{k}" for k in range(4))
_OTHERS = tuple(f"stack_blocks_distractor{k}" for k in range(4))
_VARIATIONS = tuple({"colour": c, "count": str(n)} for c in COLOURS for n in _COUNTS)


def _block(name: str) -> Prop:
    params = {"size": _EDGE, "mass": 0.125}
    return Prop(name, "block", params, (0.0, 0.0, _EDGE / 2, 0.0), "stack_blocks_boundary", free=True, graspable=True)


# One block on the other, let go 2 mm above it; paths rise with the stack.
_LAYERS = tuple(
    Place(
        name,
        over=_PLANE,
        height_m=_EDGE * (k + 0.5) + 0.002,
        clearance_m=0.05,
        slope=2.0,
        cap_m=0.10,
        within_m=0.020,
        clear_m=0.035,
        nth=k,
        count="{count}",
    )
    for k, name in enumerate(_TARGETS)
)
_ENOUGH = AtLeast("{count}", tuple(Detected(name, _COLUMN) for name in _TARGETS))
_HIGH_ENOUGH = AtLeast("1", tuple(Detected(name, "stack_top{count}") for name in _TARGETS))

TASK = TaskSpec(
    name="stack_blocks",
    props=(
        Prop(_PLANE, "coloured_square", {"size": 0.075, "rgb": (0.5, 1.0, 0.5)}, at=(0.0, 0.0, 0.0005, 0.0)),
        *(_block(name) for name in (*_TARGETS, *_OTHERS)),
    ),
    # The published planes are 0.6 x 0.81 m round the square and hold whole blocks; this is what they leave to middles.
    areas=(Area("stack_blocks_boundary", (0.0, 0.0), (0.53, 0.74), min_distance=0.115, clear_of=(_PLANE,)),),
    variations=_VARIATIONS,
    draws=(Draw(("other_colour",), tuple(COLOURS), exclude=("{colour}",)),),
    instructions=(
        "stack {count} {colour} blocks",
        "build a tower of {count} {colour} blocks on the green square",
        "put {count} of the {colour} cubes one on top of the other",
        "pile up {count} {colour} blocks where the table is green",
        "on the green square there should stand {count} {colour} cubes, stacked",
        "take {count} {colour} blocks and set each on the one before",
    ),
    roles=(*((name, Role.TARGET) for name in (_PLANE, *_TARGETS)), ("*", Role.DISTRACTOR)),
    colours=(*((name, "{colour}") for name in _TARGETS), *((name, "{other_colour}") for name in _OTHERS)),
    sensors=(
        Sensor(_COLUMN, size=(0.06, 0.06, 0.25), at=(0.0, 0.0, 0.125)),
        *(Sensor(f"stack_top{n}", size=(0.04, 0.04, 0.02), at=(0.0, 0.0, _EDGE * (n - 0.5))) for n in _COUNTS),
    ),
    success=All(_ENOUGH, _HIGH_ENOUGH, NothingGrasped()),
    expert=tuple(
        verb
        for k, layer in enumerate(_LAYERS)
        for verb in (Grasp(layer.name, layer, symmetry=math.pi / 2, slope=2.0, cap_m=0.10 + k * _EDGE), layer)
    ),
    # Turned farther the planes leave the workspace, and turned by half everything is spread as before.
    yaw=(-0.065, 0.065),
    footprint=(0.0, 0.0, 0.600, 0.810),
    protocols={
        "agnostos": Protocol(
            variations=_VARIATIONS[:1],
            success=All(_ENOUGH, NothingGrasped()),
            note="The published rule counts blocks in the column over the square, stacked or side by side.",
        )
    },
    suites=("agnostos", "agnostos-seen", "peract-18", "stack"),
    counts="count",
    implied_by="a stack of more blocks is one of fewer, before or after",
    notes="By default one of the blocks must also be as high as the last one of such a stack.",
)
