"""The small network behind the reference policies: three 64-pixel cameras and a bag of words to a chunk of actions.

Per camera: the pixels whose colour the instruction asks for, as further input channels (:class:`ColourQuery`); five
convolutions with group normalisation, each modulated by the instruction (FiLM, arXiv 1709.07871); then
a spatial softmax that turns channels into expected pixel positions (arXiv 1504.00702), the channels' maxima and means.
A perceptron joins them with the proprioception. Two keypoint maps per camera and a position head are supervised in
training only; without them selection by colour is not learned in reasonable time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

CAMERAS = ("front", "overhead", "wrist")
IMAGE_SIZE = 64
HORIZON = 16
ACTION_DIM = 8
KEYPOINTS = 32
SUPERVISED = 2
QUERIES = 4
STATE_DIM = 15  # seven joints, one gripper, seven tip pose


@dataclass(frozen=True)
class NetConfig:
    """Everything that fixes the network's shape; stored beside the weights."""

    vocabulary: tuple[str, ...]
    width: int = 384
    film: int = 96


def words(text: str) -> list[str]:
    """Lower-case words of an instruction."""
    return re.findall(r"[a-z0-9]+", text.lower())


def bag_of_words(instructions: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """(B, len(vocabulary)) float32 counts; words that the vocabulary lacks are left out."""
    index = {w: i for i, w in enumerate(vocabulary)}
    bags = np.zeros((len(instructions), len(vocabulary)), np.float32)
    for row, text in enumerate(instructions):
        for word in words(text):
            if word in index:
                bags[row, index[word]] += 1.0
    return bags


class FilmConv(nn.Module):
    """Convolution, group normalisation, then a scale and a shift per channel that the context decides."""

    def __init__(self, inputs: int, outputs: int, stride: int, film: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.GroupNorm(8, outputs)
        self.film = nn.Linear(film, 2 * outputs)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """(B, C, H, W) and (B, film) to (B, outputs, H', W')."""
        scale, shift = self.film(context)[..., None, None].chunk(2, dim=1)
        return F.relu(self.norm(self.conv(x)) * (1 + scale) + shift)


class ColourQuery(nn.Module):
    """Where the colours are that the context asks for: QUERIES soft masks over the pixels.

    The context chooses a quadric in RGB space for each mask. Convolutions modulated by the context learn to tell
    eighteen colours apart too, but need many times the steps.
    """

    def __init__(self, film: int) -> None:
        super().__init__()
        self.quadrics = nn.Linear(film, QUERIES * 10)

    def forward(self, image: Tensor, context: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] and (B, film) to (B, QUERIES, H, W) in [0, 1]."""
        r, g, b = image.unbind(1)
        monomials = torch.stack([r, g, b, r * r, g * g, b * b, r * g, g * b, b * r, torch.ones_like(r)], dim=1)
        quadrics = self.quadrics(context).view(len(image), QUERIES, 10)
        return torch.einsum("bqm,bmhw->bqhw", quadrics, monomials).sigmoid()


def spatial_softmax(maps: Tensor) -> Tensor:
    """Expected (x, y) in [-1, 1] of each map: (B, K, H, W) to (B, 2K), in float32 for precision."""
    b, k, h, w = maps.shape
    weights = maps.float().reshape(b, k, h * w).softmax(dim=-1).reshape(b, k, h, w)
    xs = torch.linspace(-1, 1, w, device=maps.device)
    ys = torch.linspace(-1, 1, h, device=maps.device)
    return torch.cat([(weights.sum(2) * xs).sum(-1), (weights.sum(3) * ys).sum(-1)], dim=1)


class CameraEncoder(nn.Module):
    """One camera's features; also returns the supervised keypoint maps."""

    def __init__(self, film: int) -> None:
        super().__init__()
        self.colours = ColourQuery(film)
        shapes = ((5 + QUERIES, 24, 2), (24, 32, 2), (32, 48, 1), (48, 48, 1), (48, 48, 1))
        self.layers = nn.ModuleList(FilmConv(i, o, s, film) for i, o, s in shapes)
        self.maps = nn.Conv2d(48, KEYPOINTS, 1)

    def forward(self, image: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [-1, 1] to (B, features) and (B, SUPERVISED, H/4, W/4) logits."""
        b, _, h, w = image.shape
        ys = torch.linspace(-1, 1, h, device=image.device, dtype=image.dtype).view(1, 1, h, 1).expand(b, 1, h, w)
        xs = torch.linspace(-1, 1, w, device=image.device, dtype=image.dtype).view(1, 1, 1, w).expand(b, 1, h, w)
        x = torch.cat([image, xs, ys, self.colours(image, context)], dim=1)
        for layer in self.layers:
            x = layer(x, context)
        maps = self.maps(x)
        features = torch.cat([spatial_softmax(maps), x.amax((2, 3)).float(), x.float().mean((2, 3))], dim=1)
        return features, maps[:, :SUPERVISED]


class ReferenceNet(nn.Module):
    """The whole policy network. Normalisation constants are buffers, so that a weight file is complete."""

    state_mean: Tensor
    state_std: Tensor
    chunk_mean: Tensor
    chunk_std: Tensor

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        film = config.film
        self.text = nn.Sequential(nn.Linear(len(config.vocabulary), 128), nn.ReLU(), nn.Linear(128, film))
        self.glance = nn.Sequential(
            nn.Conv2d(3, 16, 5, 4, 2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2048, film),
        )
        self.encoders = nn.ModuleDict({c: CameraEncoder(film) for c in CAMERAS})
        features = len(CAMERAS) * (2 * KEYPOINTS + 2 * 48) + STATE_DIM + film
        self.trunk = nn.Sequential(
            nn.Linear(features, config.width), nn.ReLU(), nn.Linear(config.width, config.width), nn.ReLU()
        )
        self.chunk = nn.Linear(config.width, HORIZON * ACTION_DIM)
        self.points = nn.Linear(config.width, 3 * SUPERVISED)
        self.register_buffer("state_mean", torch.zeros(STATE_DIM))
        self.register_buffer("state_std", torch.ones(STATE_DIM))
        self.register_buffer("chunk_mean", torch.zeros(HORIZON, 7))
        self.register_buffer("chunk_std", torch.ones(HORIZON, 7))

    def forward(self, images: Mapping[str, Tensor], state: Tensor, bag: Tensor) -> dict[str, Tensor]:
        """Images (B, 3, H, W) float in [0, 1], state (B, 15), bag (B, V) to standardised outputs.

        ``joints`` (B, 16, 7) standardised differences from the measured joints, ``gripper`` (B, 16) logits, ``maps``
        camera -> (B, 2, H/4, W/4) logits, ``points`` (B, 6) and ``context`` (B, film).
        """
        scaled = {c: images[c] * 2 - 1 for c in CAMERAS}
        context = self.text(bag) + self.glance(scaled["front"])
        encoded = {c: self.encoders[c](scaled[c], context) for c in CAMERAS}
        normal = (state - self.state_mean) / self.state_std
        joined = torch.cat([*(encoded[c][0] for c in CAMERAS), normal, context.float()], dim=1)
        hidden = self.trunk(joined)
        out = self.chunk(hidden).float().reshape(-1, HORIZON, ACTION_DIM)
        return {
            "joints": out[..., :7],
            "gripper": out[..., 7],
            "points": self.points(hidden).float(),
            "context": context.float(),
            **{f"maps_{c}": encoded[c][1].float() for c in CAMERAS},
        }

    def actions(self, out: Mapping[str, Tensor], joints: Tensor) -> Tensor:
        """Absolute joint targets and gripper (B, 16, 8) from outputs and measured joints (B, 7) rad."""
        moved = joints[:, None] + out["joints"] * self.chunk_std + self.chunk_mean
        gripper = (out["gripper"] > 0).to(moved.dtype)
        return torch.cat([moved, gripper[..., None]], dim=-1)


def state_vector(joints: np.ndarray, gripper_open: np.ndarray, gripper_pose: np.ndarray) -> np.ndarray:
    """(B, 15) float32: joints, gripper, tip position and quaternion with a positive leading part (q and -q are one)."""
    quaternion = gripper_pose[:, 3:]
    lead = np.take_along_axis(quaternion, np.abs(quaternion).argmax(1)[:, None], axis=1)
    quaternion = quaternion * np.where(lead < 0, -1.0, 1.0)
    return np.concatenate([joints, gripper_open, gripper_pose[:, :3], quaternion], axis=1).astype(np.float32)
