"""``reference:<name>``: the small policies that ship with the suite (``pfungst``, ``hans``, ``hans-colour``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.batch import Batch
from hansgym.errors import ConfigurationError
from hansgym.lookup import require, unknown
from hansgym.specs import ActionSpec, AgentSpec

EXAMPLE = "reference:pfungst"

# One block size for every call: kernels chosen for another shape may round differently, and an answer must not depend
# on how many neighbours a row has.
BLOCK = 16


def weight_files() -> dict[str, Path]:
    """Name -> weight file of every shipped reference policy."""
    import hansgym.assets

    folder = Path(hansgym.assets.__file__).parent / "weights"
    return {p.stem: p for p in sorted(folder.glob("*.safetensors"))}


def make(rest: str, device: str = "cpu", weights: str | Path | None = None, **options: Any) -> ReferenceAgent:
    """The reference policy called ``rest``, or the one stored in the file ``weights``."""
    if options:
        raise ConfigurationError(f"reference policies take no option {sorted(options)}; they take device and weights")
    require("torch", "torch")
    require("safetensors", "torch")
    files = weight_files()
    if weights is None and rest not in files:
        raise unknown("reference policy", rest, files or ("(none is installed)",))
    return ReferenceAgent(rest, Path(weights) if weights is not None else files[rest], device)


class ReferenceAgent:
    """A trained :class:`~hansgym.agents.reference_net.ReferenceNet` behind the agent protocol."""

    def __init__(self, name: str, path: Path, device: str = "cpu") -> None:
        import torch
        from safetensors import safe_open

        from hansgym.agents.reference_net import CAMERAS, HORIZON, IMAGE_SIZE, NetConfig, ReferenceNet

        with safe_open(str(path), framework="pt", device=device) as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        if "vocabulary" not in metadata:
            raise ConfigurationError(
                f"{path} is not a reference policy: its header has no vocabulary; make one with `hansgym train`"
            )
        self.vocabulary = tuple(json.loads(metadata["vocabulary"]))
        self.net = ReferenceNet(NetConfig(self.vocabulary)).to(device).eval()
        self.net.load_state_dict(tensors)
        self.torch, self.device = torch, device
        self.spec = AgentSpec(
            name=f"reference:{name}",
            action=ActionSpec.of("joint_position"),
            horizon=HORIZON,
            cameras=CAMERAS,
            image_size=IMAGE_SIZE,
            noise_control="deterministic",
            max_batch=128,
            details={"batch_invariant": True, "training": json.loads(metadata.get("training", "{}"))},
        )

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: every answer depends on the present observation alone."""

    def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
        """(B, 16, 8) float64 joint targets (rad) and gripper; the noise seeds are not used."""
        from hansgym.agents.reference_net import bag_of_words, state_vector

        joints = np.asarray(batch.state["joint_positions"], np.float32)
        state = state_vector(joints, batch.state["gripper_open"], batch.state["gripper_pose"])
        bag = bag_of_words(batch.instructions, self.vocabulary)
        chunks = [
            self._block({c: batch.images[c][i : i + BLOCK] for c in self.spec.cameras}, joints[i : i + BLOCK],
                        state[i : i + BLOCK], bag[i : i + BLOCK])
            for i in range(0, len(batch), BLOCK)
        ]  # fmt: skip
        return np.concatenate(chunks).astype(np.float64)

    def _block(
        self, images: dict[str, np.ndarray], joints: np.ndarray, state: np.ndarray, bag: np.ndarray
    ) -> np.ndarray:
        """Answer at most BLOCK rows, padded to exactly BLOCK."""
        rows = len(joints)

        def tensor(array: np.ndarray) -> Any:
            padded = np.zeros((BLOCK, *array.shape[1:]), array.dtype)
            padded[:rows] = array
            return self.torch.from_numpy(padded).to(self.device)

        with self.torch.inference_mode():
            inputs = {c: tensor(a).permute(0, 3, 1, 2).float() / 255 for c, a in images.items()}
            out = self.net(inputs, tensor(state), tensor(bag))
            return self.net.actions(out, tensor(joints))[:rows].cpu().numpy()
