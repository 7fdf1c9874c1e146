"""What masked copies share is made once, and equals what is made afresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hansgym.agents.kernels import numpy as host
from hansgym.agents.kernels.once import Once
from hansgym.agents.noise import normal
from hansgym.attribution.evaluate import evaluate
from hansgym.batch import STATE_KEYS, Batch, MaskedBatch
from hansgym.seeds import stream

torch = pytest.importorskip("torch", reason="NOT TESTED: inputs on a Torch device; pip install 'hansgym[torch]'")

from hansgym.agents.kernels import torch as kernel  # noqa: E402
from hansgym.agents.kernels.torch import DeviceInputs, blurred, once_if_shared  # noqa: E402
from hansgym.agents.torch import TorchAgent  # noqa: E402
from hansgym.benchmarks.stand_in import Nano  # noqa: E402

CAMERAS = ("front", "overhead", "wrist")
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="NOT TESTED on a GPU: Torch finds none")
DEVICES = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NO_GPU)])
WIDTHS = (7, 7, 1, 7)


def observation(seed: int = 0, size: int = 96) -> Batch:
    rng = stream(seed, "device-inputs")
    # Smooth pictures, as cameras take them, with some grain.
    coarse = rng.integers(0, 255, (3, 6, 6, 3)).astype(np.uint8)
    whole = coarse.repeat(size // 6, 1).repeat(size // 6, 2)
    images = {c: np.clip(whole[k][None] + rng.normal(0, 4, whole[k].shape), 0, 255).astype(np.uint8)
              for k, c in enumerate(CAMERAS)}  # fmt: skip
    state = {k: rng.normal(size=(1, w)).astype(np.float32) for k, w in zip(STATE_KEYS, WIDTHS, strict=True)}
    return Batch(images, state, ("close the red jar",), np.zeros(1, np.int64))


def masked(base: Batch, rows: int = 12, seen: str | None = None) -> MaskedBatch:
    """Random masks; the camera ``seen`` is not masked at all."""
    rng = stream(1, "bits")
    bits = {c: (rng.random((rows, 7, 7)) < 0.3).astype(np.uint8) for c in base.images}
    if seen is not None:
        bits[seen] = np.ones_like(bits[seen])
    return MaskedBatch(base, bits)


def test_slices_of_an_observation_share_and_another_observation_does_not() -> None:
    once, made = Once(), []

    def make() -> int:
        made.append(1)
        return len(made)

    batch = masked(observation())
    parts = [batch.take(slice(0, 5)), batch.take(slice(5, 12)), batch]
    assert [once.of(p.base, "a", make) for p in parts] == [1, 1, 1]
    assert once.of(batch.base, "b", make) == 2
    twin = observation()
    assert once.of(twin, "a", make) == 3  # equal, but another object
    assert once.of(batch.base, "a", make) == 4  # forgotten in between


@DEVICES
@pytest.mark.parametrize("seen", [None, "front"])
def test_images_equal_those_made_afresh_and_the_hosts_within_a_grey_level(seen: str | None, device: str) -> None:
    batch, inputs = masked(observation(), seen=seen), DeviceInputs(device)
    fresh, theirs = kernel.materialise(batch, device=device), host.materialise(batch)
    for part in (slice(0, 7), slice(7, 12)):
        found = inputs.images(batch.take(part), CAMERAS)
        for camera in CAMERAS:
            assert torch.equal(found[camera], fresh.images[camera][part])
            assert found[camera].device.type == device
            off = np.abs(found[camera].cpu().numpy().astype(int) - theirs.images[camera][part].astype(int))
            assert off.max() <= 1
    if seen is not None:
        assert inputs.images(batch, CAMERAS)[seen].stride(0) == 0
        np.testing.assert_array_equal(inputs.images(batch, CAMERAS)[seen][3].cpu().numpy(), batch.base.images[seen][0])


@DEVICES
@pytest.mark.parametrize(("size", "sigma"), [(96, 10.0), (224, 10.0), (60, 3.0), (30, 0.0)])
def test_the_devices_own_blur_is_the_hosts_within_a_grey_level(size: int, sigma: float, device: str) -> None:
    image = observation(size=size).images["front"][0]
    ours = blurred(torch.as_tensor(image, device=device), sigma).cpu().numpy()
    assert ours.shape == image.shape
    assert np.abs(ours - host.blur(image, sigma).astype(float)).max() <= 1.0


@DEVICES
def test_state_words_and_noise_are_one_row_shown_often(device: str) -> None:
    batch, inputs, told = masked(observation(), rows=5), DeviceInputs(device), []

    def encode(texts: tuple[str, ...]) -> torch.Tensor:
        told.append(texts)
        return torch.tensor([[float(len(t))] for t in texts])

    for _ in range(2):
        state = inputs.state(batch)
        for key, value in state.items():
            np.testing.assert_array_equal(value.cpu().numpy(), np.repeat(batch.base.state[key], 5, 0))
            value -= 100.0  # policies write to what they are given
        words = inputs.words(batch, encode)
        assert words.tolist() == [[17.0]] * 5
        assert words.stride(0) == 0
        single = inputs.words(batch.take([2]), encode)
        assert single.tolist() == [[17.0]]
        single += 1.0
    assert told[0] == ("close the red jar",)
    assert len(told) == 1
    tree = DeviceInputs("cpu").words(batch, lambda t: {"n": torch.tensor([[len(s)] for s in t])})
    assert tree["n"].tolist() == [[17]] * 5
    plain = host.materialise(batch)
    assert inputs.words(plain, encode).tolist() == [[17.0]] * 5
    assert len(told[-1]) == 5
    shared = inputs.noise(np.full(4, 9, np.uint64), (3, 2))
    assert shared.stride(0) == 0
    mixed = np.array([9, 2**64 - 1, 9], np.uint64)
    np.testing.assert_array_equal(inputs.noise(mixed, (3, 2)).cpu().numpy(), normal(mixed, (3, 2)))
    np.testing.assert_array_equal(shared[0].cpu().numpy(), normal(mixed, (3, 2))[2])
    each = [normal(np.array([s]), (3, 2))[0] for s in mixed]
    np.testing.assert_array_equal(normal(mixed, (3, 2)), np.stack(each))


def test_rows_that_are_one_in_memory_are_encoded_once() -> None:
    sizes = []

    def encode(rows: torch.Tensor) -> torch.Tensor:
        sizes.append(len(rows))
        return rows.float().mean((1, 2, 3))[:, None]

    one = torch.arange(48, dtype=torch.uint8).reshape(1, 4, 4, 3)
    shared, apart = once_if_shared(encode, one.expand(6, 4, 4, 3)), once_if_shared(encode, one.repeat(6, 1, 1, 1))
    assert sizes == [1, 6]
    assert torch.equal(shared, apart)


@DEVICES
@pytest.mark.parametrize("seen", [None, "overhead"])
def test_a_policy_that_shares_answers_as_one_that_is_shown_every_copy(seen: str | None, device: str) -> None:
    """Slices, shared state, words, noise and an unmasked camera against whole pictures sent one by one."""
    policy = Nano()
    policy.max_batch = 5  # type: ignore[misc]
    batch, seeds = masked(observation(), seen=seen), np.full(12, 3, np.uint64)
    agent = TorchAgent(policy, device)
    shared = evaluate(agent, batch, seeds)
    pictures = kernel.materialise(batch, device=device)
    for row in range(12):
        images = {c: v[row : row + 1].cpu().numpy() for c, v in pictures.images.items()}
        alone = agent.act(batch.base.with_images(images), seeds[:1])
        np.testing.assert_allclose(shared[row], alone[0], atol=1e-5)
    assert np.ptp(shared, axis=0).max() > 1e-3, "the masks must have made a difference"


def test_the_documented_adapter_answers_masked_copies_as_it_answers_pictures() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "cost.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/cost.md", "exec"), names)

    class Net(torch.nn.Module):
        def encode(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures[:, ::8, ::8].float().mean((1, 2)) / 255

        def act(self, seen: Any, joints: torch.Tensor, words: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
            told = torch.cat([*seen, joints, words], -1).mean(-1)
            return told[:, None, None] + noise

    agent = names["MyAgent"](Net(), lambda texts: torch.tensor([[len(t) / 20] for t in texts]))
    base = observation()
    base = base.with_images({c: base.images[c] for c in agent.spec.cameras})
    batch, seeds = masked(base, seen="wrist"), np.full(12, 5, np.uint64)
    pictures = kernel.materialise(batch)
    plain = pictures.with_images({c: v.numpy() for c, v in pictures.images.items()})
    np.testing.assert_allclose(evaluate(agent, batch, seeds), evaluate(agent, plain, seeds), atol=1e-5)
