"""Perturbations: exact outside their region, biting inside, on streams of their own."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hansgym.errors import ConfigurationError, UnknownNameError
from hansgym.seeds import stream
from hansgym.wrappers import ChunkedExecution, perturb
from hansgym.wrappers.perturbations import (
    ImagePerturbation,
    ImagePerturbed,
    ScenePerturbed,
    fbm_texture,
    geometric_warp,
    listing,
    load,
    parse,
)

IMAGE = [row["name"] for row in listing() if row["kind"] == "image"]
PUBLISHED = {"gaussian_noise": 0.25, "fbm_texture": 1.0, "geometric_warp": 25.0, "patch_dropout": 0.3}


def item(name: str) -> ImagePerturbation:
    found = load(name)
    assert isinstance(found, ImagePerturbation)
    return found


def pair(make: Any, text: str, seed: int = 3) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]]:
    clean, _ = make().reset(seed=seed)
    seen, info = perturb(make(), text).reset(seed=seed)
    return clean, seen, info


def test_severity_four_is_the_published_strength() -> None:
    assert {n: item(n).strengths[3] for n in IMAGE} == PUBLISHED


@pytest.mark.parametrize("region", ["nuisance", "task", "all"])
@pytest.mark.parametrize("name", IMAGE)
def test_changes_its_region_and_nothing_else(painted: Any, name: str, region: str) -> None:
    clean, seen, info = pair(painted, f"{name}:region={region},severity=5")
    for camera in ("front", "wrist"):
        task = clean[f"{camera}_mask"] > 0
        inside = {"nuisance": ~task, "task": task, "all": task | True}[region]
        changed = (clean[f"{camera}_rgb"] != seen[f"{camera}_rgb"]).any(-1)
        assert not changed[~inside].any()
        assert changed[inside].any()
        assert info["perturbations"][name][camera] == changed.sum()
        np.testing.assert_array_equal(clean[f"{camera}_mask"], seen[f"{camera}_mask"])
    np.testing.assert_array_equal(clean["joint_positions"], seen["joint_positions"])


@pytest.mark.parametrize("name", IMAGE)
def test_follows_the_mask_of_the_same_frame(painted: Any, name: str) -> None:
    plain, changed = painted(), perturb(painted(), f"{name}:severity=5")
    plain.reset(seed=1), changed.reset(seed=1)
    for _ in range(3):
        clean, seen = plain.step(np.zeros(8))[0], changed.step(np.zeros(8))[0]
        task = clean["front_mask"] > 0
        np.testing.assert_array_equal(clean["front_rgb"][task], seen["front_rgb"][task])
        assert (clean["front_rgb"] != seen["front_rgb"]).any()


@pytest.mark.parametrize("name", IMAGE)
def test_severity_zero_is_identity_and_the_ladder_rises(name: str) -> None:
    rng_image = stream(0, "picture").integers(60, 190, (64, 64, 3)).astype(np.uint8)
    moved = [
        np.abs(
            np.clip(np.rint(item(name).change(rng_image, s, stream(1, "x"))), 0, 255) - rng_image.astype(float)
        ).mean()
        for s in item(name).strengths
    ]
    assert moved[0] > 0
    assert all(a < b for a, b in itertools.pairwise(moved)), moved


@pytest.mark.parametrize("name", IMAGE)
def test_severity_zero_changes_nothing(painted: Any, name: str) -> None:
    clean, seen, info = pair(painted, f"{name}:severity=0,region=all")
    assert all(np.array_equal(clean[k], seen[k]) for k in clean)
    assert set(info["perturbations"][name].values()) == {0}


def test_cameras_are_chosen(painted: Any) -> None:
    for view, touched in (("primary", ["front"]), ("wrist", ["wrist"]), ("all", ["front", "wrist"])):
        clean, seen, _ = pair(painted, f"gaussian_noise:cameras={view}")
        assert [c for c in ("front", "wrist") if (clean[f"{c}_rgb"] != seen[f"{c}_rgb"]).any()] == touched


@pytest.mark.parametrize("name", IMAGE)
def test_streams_depend_on_seed_camera_and_step_only(painted: Any, name: str) -> None:
    def run(text: str, seed: int) -> list[dict[str, np.ndarray]]:
        env = perturb(painted(), text)
        return [env.reset(seed=seed)[0], *(env.step(np.zeros(8))[0] for _ in range(8))]

    text = f"{name}:region=all,severity=5"
    first, again, other = run(text, 5), run(text, 5), run(text, 6)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a["front_rgb"], b["front_rgb"])
    assert (first[0]["front_rgb"] != other[0]["front_rgb"]).any()
    assert (first[0]["front_rgb"] != first[0]["wrist_rgb"]).any()
    # Step 8 shows the very scene of step 0, so only the draws differ.
    assert (first[0]["front_rgb"] != first[8]["front_rgb"]).any()
    frozen = run(f"{text},temporal=frozen", 5)
    np.testing.assert_array_equal(frozen[0]["front_rgb"], frozen[8]["front_rgb"])
    np.testing.assert_array_equal(frozen[0]["front_rgb"], first[0]["front_rgb"])


def test_never_draws_from_the_environment(painted: Any) -> None:
    plain, noisy = painted(), perturb(painted(), "gaussian_noise")
    plain.reset(seed=2), noisy.reset(seed=2)
    assert plain.np_random.bit_generator.state == noisy.np_random.bit_generator.state
    noisy.step(np.zeros(8))
    assert plain.np_random.bit_generator.state == noisy.np_random.bit_generator.state


def test_stacking_order_changes_no_stream(painted: Any) -> None:
    """Noise in the nuisance region and warp in the task region touch different pixels, so order must not matter."""
    a = perturb(perturb(painted(), "gaussian_noise:region=nuisance"), "fbm_texture:region=task").reset(seed=4)
    b = perturb(perturb(painted(), "fbm_texture:region=task"), "gaussian_noise:region=nuisance").reset(seed=4)
    np.testing.assert_array_equal(a[0]["front_rgb"], b[0]["front_rgb"])
    assert a[1]["perturbations"] == b[1]["perturbations"]
    assert set(a[1]["perturbations"]) == {"gaussian_noise", "fbm_texture"}


@pytest.mark.parametrize("observe", ["last", "every"])
def test_inside_and_outside_the_chunk_wrapper_agree(painted: Any, observe: str) -> None:
    chunk = np.zeros((4, 8), np.float32)
    inside = ChunkedExecution(perturb(painted(), "gaussian_noise"), horizon=4, execute=3, observe=observe)
    outside = perturb(ChunkedExecution(painted(), horizon=4, execute=3, observe=observe), "gaussian_noise")
    inside.reset(seed=7), outside.reset(seed=7)
    a, b = inside.step(chunk), outside.step(chunk)
    np.testing.assert_array_equal(a[0]["front_rgb"], b[0]["front_rgb"])
    assert a[4]["perturbations"] == b[4]["perturbations"]
    assert a[4]["perturbations"]["gaussian_noise"]["front"] > 0
    for x, y in zip(a[4].get("frames", []), b[4].get("frames", []), strict=True):
        np.testing.assert_array_equal(x["front_rgb"], y["front_rgb"])


def test_counterfactual_images_get_the_same_draws(painted: Any) -> None:
    env = perturb(painted(), "gaussian_noise:severity=1")
    live, info = env.reset(seed=7)
    seen = env.get_wrapper_attr("counterfactual")(("wall",), 0)
    # The stand-in's counterfactual is one grey level brighter everywhere; nothing else may differ.
    assert set(np.unique(seen["front_rgb"].astype(int) - live["front_rgb"])) <= {0, 1}
    assert env.get_wrapper_attr("perturbed") == info["perturbations"]


def test_gaussian_noise_has_the_stated_sigma() -> None:
    grey = np.full((224, 224, 3), 128, np.uint8)
    for sigma in item("gaussian_noise").strengths[:3]:
        out = np.asarray(item("gaussian_noise").change(grey, sigma, stream(0, "n"))) - 128.0
        assert abs(out.std() / 255 - sigma) < 0.01 * sigma
        assert abs(out.mean()) < 3 * 255 * sigma / np.sqrt(out.size)


@pytest.mark.parametrize("size", [64, 224])
def test_fbm_texture_has_the_stated_spread_and_is_smooth(size: int) -> None:
    grey = np.full((size, size, 3), 128, np.uint8)
    out = np.asarray(item("fbm_texture").change(grey, 0.5, stream(0, "n"))) - 128.0
    assert abs(out.std() - 30) < 0.1
    assert (out[..., 0] == out[..., 2]).all()
    field = fbm_texture.field(224, 224, stream(0, "n"))
    neighbours = np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1]
    assert neighbours > 0.8, "a texture, not noise"


@pytest.mark.parametrize("size", [64, 224])
def test_warp_moves_no_pixel_further_than_stated(size: int) -> None:
    for shift in item("geometric_warp").strengths:
        dx, dy = geometric_warp.field(size, size, shift, stream(0, "n"))
        assert np.hypot(dx, dy).max() == pytest.approx(shift * size / 224, rel=1e-5)
    ramp = np.tile(np.arange(size, dtype=np.uint8)[None, :, None], (size, 1, 3))
    moved = np.abs(np.asarray(item("geometric_warp").change(ramp, 25.0, stream(0, "n")), float) - ramp)
    assert moved.max() <= 25 * size / 224 + 1


def test_patch_dropout_hides_more_and_more_of_the_same_cells() -> None:
    picture = stream(0, "picture").integers(0, 256, (224, 224, 3)).astype(np.uint8)
    hidden = [
        (np.rint(item("patch_dropout").change(picture, p, stream(1, "n"))) != picture).any(-1)
        for p in item("patch_dropout").strengths
    ]
    assert all((a <= b).all() for a, b in itertools.pairwise(hidden))
    kept = np.mean([stream(s, "n").random((7, 7)) < 0.3 for s in range(200)])
    assert abs(kept - 0.3) < 0.02


@pytest.mark.parametrize("name", IMAGE)
def test_exact_on_rendered_scenes_and_the_world_goes_on_as_before(name: str) -> None:
    def roll(text: str | None) -> list[dict[str, np.ndarray]]:
        env = gym.make("hansgym/slide_block_to_color_target-v0", image_size=64, disable_env_checker=True)
        env = ChunkedExecution(env if text is None else perturb(env, text))
        seen = [env.reset(seed=3)[0]]
        for _ in range(2):
            seen.append(env.step(env.get_wrapper_attr("expert_chunk")(16))[0])
        env.close()
        return seen

    for clean, seen in zip(roll(None), roll(f"{name}:severity=5"), strict=True):
        for camera in ("front", "overhead", "wrist"):
            task = clean[f"{camera}_mask"] > 0
            np.testing.assert_array_equal(clean[f"{camera}_rgb"][task], seen[f"{camera}_rgb"][task])
        assert (clean["front_rgb"] != seen["front_rgb"]).any()
        others = [k for k in clean if not k.endswith("_rgb")]
        assert all(np.array_equal(clean[k], seen[k]) for k in others)


def test_margin_keeps_the_rim_of_the_task_out_of_the_nuisance(painted: Any) -> None:
    clean, _ = painted().reset(seed=3)
    seen, _ = ImagePerturbed(painted(), "gaussian_noise", severity=5, margin=2).reset(seed=3)
    task = clean["front_mask"] > 0
    rows, columns = np.nonzero(task)
    ring = np.zeros_like(task)
    ring[rows.min() - 2 : rows.max() + 3, columns.min() - 2 : columns.max() + 3] = True
    changed = (clean["front_rgb"] != seen["front_rgb"]).any(-1)
    assert not changed[ring].any()
    assert changed[~ring].any()


def test_spec_makes_it_again(painted: Any) -> None:
    env = perturb(painted(), "geometric_warp:severity=2,region=all,cameras=wrist,temporal=frozen")
    again = gym.make(env.spec, disable_env_checker=True)
    np.testing.assert_array_equal(again.reset(seed=1)[0]["wrist_rgb"], env.reset(seed=1)[0]["wrist_rgb"])
    assert again._saved_kwargs == env._saved_kwargs


def test_text_is_read_back() -> None:
    asked = parse("gaussian_noise:severity=2,region=all")
    assert asked.options == {"severity": 2, "region": "all", "cameras": "all", "temporal": "frame"}
    assert parse(str(asked)) == asked
    assert parse("cue:setting=misleading,code=place").options == {"code": "place", "setting": "misleading"}
    assert {row["name"] for row in listing()} == {*PUBLISHED, "cue"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gausian_noise", "unknown perturbation 'gausian_noise'.*Did you mean 'gaussian_noise'.*patch_dropout"),
        ("gaussian_noise:sevrity=1", "unknown option of perturbation 'gaussian_noise' 'sevrity'.*region"),
        ("gaussian_noise:severity=6", "severity=6 is not one of 0, 1, 2, 3, 4, 5"),
        ("gaussian_noise:severity=high", "severity='high' cannot be read"),
        ("gaussian_noise:region=table", "region='table' is not one of all, nuisance, task"),
        ("cue:setting=helpful", "setting='helpful' is not one of absent, aligned, misleading, random"),
        ("cue:severity=1", "unknown option of perturbation 'cue' 'severity'"),
        ("gaussian_noise:4", "takes key=value options"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises((UnknownNameError, ConfigurationError), match=message):
        parse(text)


def test_a_region_without_masks_raises() -> None:
    class Blind(gym.Env):
        observation_space = gym.spaces.Dict({"front_rgb": gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)})
        action_space = gym.spaces.Box(-1, 1, (8,))

    with pytest.raises(ConfigurationError, match="needs <camera>_mask"):
        perturb(Blind(), "gaussian_noise")
    with pytest.raises(ConfigurationError, match="selects none"):
        perturb(Blind(), "gaussian_noise:region=all,cameras=wrist")
    with pytest.raises(ConfigurationError, match="no <camera>_rgb to perturb"):
        perturb(gym.make("Pendulum-v1"), "gaussian_noise")


def test_scene_perturbations_reach_the_environment_and_its_spec(painted: Any) -> None:
    env = perturb(painted(), "cue:code=place,setting=misleading")
    (added,) = env.unwrapped.added
    assert (added.code, added.setting) == ("place", "misleading")
    assert gym.make(env.spec, disable_env_checker=True).unwrapped.added == [added]
    with pytest.raises(ConfigurationError, match="changes images, not the scene"):
        ScenePerturbed(painted(), "gaussian_noise")
