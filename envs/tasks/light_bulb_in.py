"""Put one of two light bulbs into a lamp. Variations: the colour of the stand that holds the bulb that is meant."""

from __future__ import annotations

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import COLOURS, Area, Candidates, Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_VARIATIONS = tuple({"colour": c, "target": str(i % 2), "other": str((i + 1) % 2)} for i, c in enumerate(COLOURS))
_HOLDERS = ("bulb_holder0", "bulb_holder1")
_COLOURS = {"bulb_holder{target}": "{colour}", "bulb_holder{other}": "{other_colour}"}

# By the glass, a little above its widest place.
_HOLD = Hold("bulb_phys{target}", offset=(0.0, 0.0, 0.023), symmetry=0.0)
# The bulb's tip then stands on the socket's floor; it is let go of 2 mm above that.
_IN_THE_SOCKET = Carry(
    _HOLD, to="lamp_screw", offset=(0.0, 0.0, 0.044), symmetry=0.0, stand_off_m=0.06, top_m=1.18, tolerance_m=0.002
)

TASK = TaskSpec(
    name="light_bulb_in",
    props=(
        Prop("lamp_base", "lamp", params={"socket": "lamp_screw"}, at=(0.033, 0.002, 0.1345, 0.0)),
        *(Prop(holder, "bulb_holder", at=(0.0, 0.0, 0.028, 0.0), placed_in="spawn_boundary") for holder in _HOLDERS),
        *(
            Prop(
                f"bulb_phys{k}",
                "light_bulb",
                params={"glass": f"bulb{k}", "metal": f"light_bulb{k}"},
                at=(0.0, 0.0, 0.0411, 0.0),
                rides=holder,
                free=True,
                graspable=True,
            )
            for k, holder in enumerate(_HOLDERS)
        ),
    ),
    # Whole stands lie in a plane of 0.333 x 0.298 m, so their middles in one that is smaller by a stand.
    areas=(Area("spawn_boundary", centre=(0.0, 0.255), size=(0.234, 0.199), min_distance=0.11),),
    footprint=(0.0, 0.18, 0.333, 0.45),
    variations=_VARIATIONS,
    draws=(Draw(("other_colour",), tuple(COLOURS), exclude=("{colour}",)),),
    instructions=(
        "screw in the {colour} light bulb",
        "take the light bulb out of the {colour} stand and put it into the lamp",
        "the lamp has no bulb: use the one from the {colour} holder",
        "lift the bulb that stands in the {colour} base and set it into the lamp's socket",
    ),
    roles=(
        *((part + "{target}", Role.TARGET) for part in ("bulb_phys", "bulb", "light_bulb", "bulb_holder")),
        *((part + "{other}", Role.DISTRACTOR) for part in ("bulb_phys", "bulb", "light_bulb", "bulb_holder")),
        ("lamp_screw", Role.TARGET),
        ("lamp_base", Role.FIXTURE),
    ),
    colours=tuple(_COLOURS.items()),
    # In the lower half of the socket, where the bulb's tip belongs.
    sensors=(Sensor("success", size=(0.012, 0.012, 0.020), on="lamp_screw", at=(0.0, 0.0, -0.002)),),
    success=All(Detected("bulb_phys{target}", "success"), NothingGrasped()),
    expert=(Grip(_HOLD, before=_IN_THE_SOCKET, top_m=1.11), _IN_THE_SOCKET),
    candidates=Candidates(props=_HOLDERS, right="bulb_holder{target}", colours=_COLOURS),
    suites=("agnostos", "agnostos-seen", "peract-18", "screw"),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    notes="The socket has no thread: turning the bulb is not asked for, as upstream.",
)
