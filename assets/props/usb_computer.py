"""A desktop computer tower with a USB port in its top. Origin: middle of its underside; the front looks to -x.

The port is a real recess, :data:`PORT_DEPTH` deep, with its mouth at the site ``port``.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.32, 0.16, 0.32)
PORT = (-0.10, 0.0)
PORT_DEPTH = 0.014
SLOT = (0.0128, 0.0056)
"""Opening of the port in x and y, m."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, port: str) -> None:
    """Fill ``body`` with the tower; ``port`` names the site in the middle of the port's mouth, z up."""
    case = material(spec, "usb_computer/case", (0.17, 0.18, 0.20), "brushed", specular=0.3, shininess=0.4)
    front = material(spec, "usb_computer/front", (0.09, 0.09, 0.10), specular=0.4, shininess=0.6)
    silver = material(spec, "usb_computer/silver", (0.75, 0.76, 0.78), specular=0.5, shininess=0.6)
    dark = material(spec, "usb_computer/dark", (0.03, 0.03, 0.03), specular=0.1)
    blue = material(spec, "usb_computer/lamp", (0.25, 0.55, 1.0), emission=0.7)
    length, width, height = SIZE
    drawn(body, f"{name}/case", "box", (0, 0, height / 2), (length - 0.03, width, height - 0.016), case)
    drawn(body, f"{name}/lid", "box", (0, 0, height - 0.004), (length - 0.03, width, 0.008), case)
    x = -length / 2
    drawn(body, f"{name}/front", "box", (x + 0.0075, 0, height / 2), (0.015, width, height), front)
    drawn(body, f"{name}/rear", "box", (-x - 0.0075, 0, height / 2), (0.015, width - 0.006, height - 0.006), silver)
    for k, z in enumerate((0.285, 0.240)):  # two drive bays
        drawn(body, f"{name}/bay{k}", "box", (x - 0.001, 0, z), (0.003, width - 0.014, 0.038), silver)
        drawn(body, f"{name}/slot{k}", "box", (x - 0.002, 0, z), (0.003, width - 0.030, 0.004), dark)
    at = (x - 0.002, 0.045, 0.185)
    button = drawn(body, f"{name}/button", "cylinder", at, (0.014, 0.004), silver)
    button.quat = [0.7071, 0.0, 0.7071, 0.0]
    drawn(body, f"{name}/lamp", "box", (x - 0.002, 0.015, 0.185), (0.003, 0.008, 0.004), blue)
    for k in range(7):  # grille in front, fan grille behind
        drawn(body, f"{name}/grille{k}", "box", (x - 0.001, 0, 0.03 + 0.016 * k), (0.003, width - 0.04, 0.006), silver)
        z = height * 0.62 + 0.012 * k
        drawn(body, f"{name}/fan{k}", "box", (-x + 0.0005, 0, z), (0.002, 0.085, 0.006), dark)
    drawn(body, f"{name}/socket", "box", (-x + 0.0005, 0.03, 0.05), (0.002, 0.035, 0.025), dark)
    for k, side in enumerate((1, -1)):  # stripes that set the panel with the port off
        at = (PORT[0], side * 0.035, height + 0.0005)
        drawn(body, f"{name}/stripe{k}", "box", at, (0.05, 0.004, 0.002), silver)
    drawn(body, f"{name}/panel", "box", (*PORT, height), (0.05, 0.05, 0.001), front)
    drawn(body, f"{name}/port", "box", (*PORT, height + 0.0008), (SLOT[0] + 0.006, SLOT[1] + 0.006, 0.0016), silver)
    drawn(body, f"{name}/mouth", "box", (*PORT, height + 0.001), (*SLOT, 0.002), dark)
    body.add_site(name=port, pos=[*PORT, height], size=[0.004] * 3, group=4)
    _hulls(body, name)


def _hulls(body: mujoco.MjsBody, name: str) -> None:
    """The tower as felt: a block up to the port's bottom, four round the port."""
    length, width, height = SIZE
    low = height - PORT_DEPTH
    touched(body, f"{name}/case_hull", "box", (0, 0, low / 2), (length, width, low), mass=6.0)
    z = height - PORT_DEPTH / 2
    left, right = PORT[0] - SLOT[0] / 2, PORT[0] + SLOT[0] / 2
    for part, start, end in (("front", -length / 2, left), ("rear", right, length / 2)):
        at, size = ((start + end) / 2, 0.0, z), (end - start, width, PORT_DEPTH)
        touched(body, f"{name}/{part}_hull", "box", at, size, mass=0.3)
    side = (width - SLOT[1]) / 2
    for k, sign in enumerate((1, -1)):
        at = (PORT[0], sign * (width - side) / 2, z)
        touched(body, f"{name}/side{k}_hull", "box", at, (SLOT[0], side, PORT_DEPTH), mass=0.05)
