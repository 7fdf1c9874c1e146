"""Stand one, two or three books on the top shelf of a bookcase. Variations: how many.

The red book comes first, then the green, then the blue one. ``first``, ``second`` and ``third`` name the books that are
asked for; where fewer are, one of them is named again.
"""

from __future__ import annotations

import math

from hansgym.assets.props.book import SIZE
from hansgym.assets.props.bookshelf import PLACES, TOPS
from hansgym.envs.conditions import All, Detected
from hansgym.envs.spec import Candidates, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_COLOURS = ((0.12, 0.25, 0.62), (0.10, 0.45, 0.22), (0.72, 0.10, 0.12))
_ASKED = ("first", "second", "third")
_VARIATIONS = tuple({"n": str(n), **{key: str(2 - min(k, n - 1)) for k, key in enumerate(_ASKED)}} for n in (1, 2, 3))


def _shelve(key: str) -> tuple[Grip, Carry]:
    """The verbs that bring the book of ``key`` to its place."""
    book = f"book{{{key}}}"
    hold = Hold(book, offset=(0.0, 0.0, 0.052), symmetry=math.pi, ahead=True)
    place = Carry(
        hold,
        to=f"bookshelf_place{{{key}}}",
        offset=(0.0, 0.0, SIZE[2] / 2 + 0.003),
        symmetry=math.pi,
        stand_off_m=0.09,
        when=Detected(book, "success"),
    )
    return Grip(hold, before=place, top_m=1.30, slope=3.0), place


TASK = TaskSpec(
    name="put_books_on_bookshelf",
    props=(
        Prop("bookshelf_visual", "bookshelf", params={"place": "bookshelf_place"}, at=(0.16, 0.0, -0.002, 0.0)),
        *(
            Prop(
                f"book{k}",
                "book",
                params={"rgb": rgb},
                at=(-0.14, y, SIZE[2] / 2 - 0.0015, 0.0),
                free=True,
                graspable=True,
            )
            for k, (rgb, y) in enumerate(zip(_COLOURS, PLACES, strict=True))
        ),
    ),
    variations=_VARIATIONS,
    instructions=(
        "put {n} books on bookshelf",
        "stand {n} of the books on the top shelf, the red one first",
        "move {n} books from the table up to the bookcase's top shelf, beginning with the red one",
    ),
    roles=(
        *((f"book{{{key}}}", Role.TARGET) for key in _ASKED),
        ("bookshelf_visual", Role.TARGET),
        ("*", Role.DISTRACTOR),
    ),
    sensors=(Sensor("success", size=(0.15, 0.36, 0.08), on="bookshelf_visual", at=(0.0, 0.0, TOPS[2] + 0.045)),),
    success=All(*(Detected(f"book{{{key}}}", "success") for key in _ASKED)),
    expert=tuple(verb for key in _ASKED for verb in _shelve(key)),
    footprint=(0.03, 0.0, 0.48, 0.42),
    yaw=(-math.pi / 2, math.pi / 2),
    candidates=Candidates(props=("book0", "book1", "book2"), right="book{first}"),
    counts="n",
    implied_by="shelving more books shelves fewer on the way",
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-level1", "pick-place"),
    notes="As upstream, letting go is not asked for, and with one book only the red one (book2) counts.",
)
