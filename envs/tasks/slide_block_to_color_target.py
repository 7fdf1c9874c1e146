"""Slide the block to the coloured square. Variations: which of four squares with fixed colours."""

from __future__ import annotations

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import Candidates, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.push import Push
from hansgym.roles import Role

# Centres in the task frame (m) and colours, as measured.
_SQUARES = {
    "green": ("1", (0.025, 0.150), (0.0, 0.68, 0.0)),
    "blue": ("2", (0.225, 0.075), (0.0, 0.0, 0.85)),
    "pink": ("3", (0.025, -0.300), (1.0, 0.078, 0.57)),
    "yellow": ("4", (-0.219, -0.129), (1.0, 0.76, 0.0)),
}
_ON_TABLE = -0.0012
"""Height of a square's middle: 0.3 mm clear of the table top, which lies 2 mm below the task frame."""

TASK = TaskSpec(
    name="slide_block_to_color_target",
    props=(
        Prop("block", "block", params={"size": 0.056, "mass": 0.356}, at=(0.025, -0.025, 0.026, 0.0), free=True),
        *(
            Prop(f"target{k}", "coloured_square", params={"size": 0.10}, at=(x, y, _ON_TABLE, 0.0))
            for k, (x, y), _ in _SQUARES.values()
        ),
    ),
    footprint=(0.003, -0.075, 0.544, 0.550),
    variations=tuple({"colour": colour, "square": square} for colour, (square, _, _) in _SQUARES.items()),
    instructions=(
        "slide the block to {colour} target",
        "push the block onto the {colour} square",
        "move the red cube until it is on the {colour} area",
        "slide the cube over to the {colour} square",
        "the block belongs on the {colour} square, push it there",
    ),
    roles=(("block", Role.TARGET), ("target{square}", Role.TARGET), ("*", Role.DISTRACTOR)),
    palette={colour: rgb for colour, (_, _, rgb) in _SQUARES.items()},
    colours=tuple((f"target{k}", colour) for colour, (k, _, _) in _SQUARES.items()),
    # The published volumes are unknown: here each is a thin box on its square (est).
    sensors=tuple(
        Sensor(f"success{k}", size=(0.10, 0.10, 0.02), on=f"target{k}", at=(0.0, 0.0, 0.01))
        for k, _, _ in _SQUARES.values()
    ),
    success=Detected("block", "success{square}"),
    expert=(Push(block="block", onto="target{square}"),),
    candidates=Candidates(
        props=tuple(f"target{k}" for k, _, _ in _SQUARES.values()),
        right="target{square}",
        colours={f"target{k}": colour for colour, (k, _, _) in _SQUARES.items()},
    ),
    suites=("quickstart", "agnostos", "agnostos-seen", "peract-18", "push"),
    protocols={
        "agnostos": Protocol(
            variations=({"colour": "green", "square": "1"},),
            note="variation 0 only; the published rule is the default one",
        )
    },
    notes="Upstream pushes to blue and yellow in two straight strokes; the expert here pushes straight at the square.",
)
