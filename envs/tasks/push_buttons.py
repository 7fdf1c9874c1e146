"""Push the named buttons, one after the other. Variations: 50 colour triples and counts, as published.

Three buttons lie on the table. The first one to push is always ``push_buttons_target0``, the second one
``push_buttons_target1``, and so on; buttons that are not to be pushed have random other colours.
"""

from __future__ import annotations

from itertools import islice, permutations

from hansgym.envs.conditions import InOrder, JointMoved
from hansgym.envs.spec import COLOURS, Area, Candidates, Draw, Prop, Protocol, TaskSpec
from hansgym.envs.verbs.press import Press
from hansgym.roles import Role

VARIATIONS_PUBLISHED = 50
BUTTON_COLOURS = tuple(c for c in COLOURS if c not in ("red", "lime"))  # red and green caps would hide in them
NOT_PUSHED = "none"


def _variation(colours: tuple[str, ...]) -> dict[str, str]:
    """The variation that pushes buttons of ``colours`` in order; ``push1``, ``push2``: further buttons, if pushed."""
    entries = {f"colour{k}": colour for k, colour in enumerate(colours)}
    pushed = {f"push{k}": str(k) if k < len(colours) else NOT_PUSHED for k in (1, 2)}
    tails = {
        tail: "".join(f"{word} {colour} {end}" for colour in colours[1:])
        for tail, word, end in (
            ("then_push", ", then push the", "button"),
            ("then_press", ", then press the", "button"),
            ("then_one", ", then the", "one"),
        )
    }
    return {**entries, **pushed, **tails, "count": str(len(colours))}


def _published() -> tuple[dict[str, str], ...]:
    triples = list(islice(permutations(BUTTON_COLOURS, 3), VARIATIONS_PUBLISHED // 3 + 1))
    return tuple(_variation(triples[index // 3][: 1 + index % 3]) for index in range(VARIATIONS_PUBLISHED))


_BUTTONS = tuple(f"push_buttons_target{k}" for k in range(3))
_PARTS = ("push_buttons_target{k}", "target_button_wrap{k}", "target_button_topPlate{k}")
_VARIATIONS = _published()

TASK = TaskSpec(
    name="push_buttons",
    props=tuple(
        Prop(
            button,
            "button",
            params={
                "joint": f"target_button_joint{k}",
                "wrap": f"target_button_wrap{k}",
                "plate": f"target_button_topPlate{k}",
            },
            at=(0.0, 0.2 * (k - 1), 0.008, 0.0),
            placed_in="push_buttons_boundary",
        )
        for k, button in enumerate(_BUTTONS)
    ),
    # The published boundary is 0.516 x 0.678 m and holds whole buttons; this is what it leaves to their middles.
    areas=(Area("push_buttons_boundary", centre=(0.0, 0.0), size=(0.39, 0.55), min_distance=0.10),),
    footprint=(0.0, 0.0, 0.516, 0.678),
    variations=_VARIATIONS,
    draws=(Draw(("colour1", "colour2"), BUTTON_COLOURS, exclude=("{colour0}",)),),
    instructions=(
        "push the {colour0} button{then_push}",
        "press the {colour0} button{then_press}",
        "find the {colour0} button and push it down{then_one}",
    ),
    roles=(
        *((name.format(k="0"), Role.TARGET) for name in _PARTS),
        *((name.format(k=f"{{push{k}}}"), Role.TARGET) for k in (1, 2) for name in _PARTS),
        ("*", Role.DISTRACTOR),
    ),
    colours=tuple((button, f"{{colour{k}}}") for k, button in enumerate(_BUTTONS)),
    success=InOrder(*(JointMoved(f"target_button_joint{k}", by=0.001) for k in range(3)), count="{count}"),
    expert=tuple(Press(index=k, button=button) for k, button in enumerate(_BUTTONS)),
    candidates=Candidates(
        props=_BUTTONS,
        right=_BUTTONS[0],
        colours={button: f"{{colour{k}}}" for k, button in enumerate(_BUTTONS)},
    ),
    suites=("quickstart", "agnostos", "agnostos-seen", "peract-18", "press"),
    protocols={
        "agnostos": Protocol(
            variations=_VARIATIONS[:1], note="variation 0 only; the published rule is the default one"
        ),
        "balanced": Protocol(
            variations=tuple(_variation((colour,)) for colour in BUTTON_COLOURS),
            note="one button to push, of each of the eighteen colours in turn",
        ),
    },
    equal_variations="the 17 one-button variations are one episode family, as are the 16 that push maroon, then green",
    implied_by="pushing three buttons pushes the first one and the first two on the way",
    notes="Pushing a wrong button is not penalised. Caps stay red; upstream's turn green when pushed.",
)
