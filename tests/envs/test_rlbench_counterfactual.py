"""do-effects on handles, image perturbations and the cue over a test double: what changes, and that all is put back."""

from __future__ import annotations

import numpy as np
import pytest
from _rlbench import SHAPES, FakeSimulator, fake_backend, fake_env, task_of

from hansgym.attribution.ner import ner_of
from hansgym.envs import cue
from hansgym.envs.backend import ResetRequest
from hansgym.envs.cue import Cue
from hansgym.envs.rlbench import installation
from hansgym.envs.rlbench.simulator import Coat
from hansgym.errors import UnknownNameError
from hansgym.wrappers.perturbations import perturb


class Painting(FakeSimulator):
    """Paints as upstream's close_jar does: the target jar in the variation's colour, the other in navy."""

    def arrange(self, variation: int) -> list[str]:
        words = super().arrange(variation)
        binding = task_of("close_jar").variations[variation]
        self.colour_in(self.handle(binding["target"]), (1.0, 0.0, 0.0))
        self.colour_in(self.handle(binding["other"]), (0.0, 0.0, 0.5))
        self.colour_in(self.handle("jar_lid0"), (0.5, 0.5, 0.5))
        return words


def test_the_factors_are_those_that_can_be_put_back() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    assert backend._binding["other_colour"] == "navy"
    assert backend.present_factors() == ("wall", "floor", "distractor:jar1", "nuisance")
    simulator.multicoloured = {"Wall2", "jar1"}
    assert backend.present_factors() == ("floor", "nuisance")
    simulator.multicoloured = {"Wall2", "jar1", "Floor"}
    assert backend.present_factors() == ()
    backend.close()


def test_what_no_picture_shows_is_no_hindrance() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("place_cups", simulator)
    simulator.multicoloured = {"mug3"}  # the invisible body of a mug, whose visible one is of one colour
    backend.reset(ResetRequest(0, 0))
    assert not SHAPES["place_cups"]["mug3"]
    assert "distractor:mug3" in backend.present_factors()
    simulator.multicoloured = {"mug_visual3"}
    assert "distractor:mug3" not in backend.present_factors()
    backend.close()


def test_the_named_parts_of_a_shape_are_shifted_together_and_put_back_one_by_one() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    floor = simulator.handle("Floor")
    tiles = (Coat(floor, (0.25, 0.5, 0.75), "light"), Coat(floor, (0.5, 0.5, 0.5), "dark"))
    plain, painted = simulator.coats, []
    simulator.coats = lambda handle: tiles if handle == floor else plain(handle)  # type: ignore[method-assign]
    simulator.paint = lambda coat, rgb: painted.append((coat.name, rgb))  # type: ignore[method-assign]
    backend.counterfactual(("floor",), 5, (), 16)
    shifts = [np.subtract(rgb, tile.rgb) for (_, rgb), tile in zip(painted[:2], tiles, strict=True)]
    np.testing.assert_allclose(shifts[0], shifts[1], atol=1e-12)
    assert np.abs(shifts[0]).max() > 0.01
    assert painted[2:] == [(tile.name, tile.rgb) for tile in tiles]
    backend.close()


@pytest.mark.parametrize("factor", ["wall", "floor", "distractor:jar1", "nuisance"])
def test_a_factor_changes_its_own_pixels_and_everything_is_put_back(factor: str) -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    before, colours, steps = backend.render(("front",), 64)["front"], dict(simulator.colours), simulator.steps
    seen = backend.counterfactual((factor,), 5, ("front",), 64)["front"]
    again = backend.counterfactual((factor,), 5, ("front",), 64)["front"]
    other = backend.counterfactual((factor,), 6, ("front",), 64)["front"]
    np.testing.assert_array_equal(seen.rgb, again.rgb)
    assert (seen.rgb != other.rgb).any()
    names = {o.id: o.name for o in backend.objects}
    changed = {names[int(i)] for i in np.unique(before.objects[(seen.rgb != before.rgb).any(-1)])}
    walls, rest = {f"Wall{k}" for k in range(1, 5)}, {"Floor", "jar1"}
    assert changed == {"wall": walls, "floor": {"Floor"}, "nuisance": walls | rest}.get(factor, {"jar1"})
    np.testing.assert_array_equal(seen.objects, before.objects)
    assert simulator.colours == colours
    assert simulator.steps == steps
    np.testing.assert_array_equal(backend.render(("front",), 64)["front"].rgb, before.rgb)
    backend.close()


def test_a_factors_draws_do_not_depend_on_the_others_and_scale_with_severity() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    before = backend.render(("front",), 64)["front"]
    alone = backend.counterfactual(("floor",), 5, ("front",), 64)["front"].rgb
    together = backend.counterfactual(("wall", "floor"), 5, ("front",), 64)["front"].rgb
    names = {o.id: o.name for o in backend.objects}
    floor = np.vectorize(names.get)(before.objects) == "Floor"
    np.testing.assert_array_equal(alone[floor], together[floor])
    still = backend.counterfactual(("wall", "floor"), 5, ("front",), 64, severity=0.0)["front"].rgb
    np.testing.assert_array_equal(still, before.rgb)
    backend.close()


def test_a_new_colour_is_no_needed_one_and_no_spoken_one() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    handle, seen = simulator.handle("jar1"), set()
    real = simulator.paint

    def paint(coat: Coat, rgb: tuple[float, float, float]) -> None:
        real(coat, rgb)
        if coat.handle == handle:
            seen.add(simulator.colours[handle])

    simulator.paint = paint  # type: ignore[method-assign]
    for seed in range(60):
        backend.counterfactual(("distractor:jar1",), seed, (), 16)
    seen -= {(0.0, 0.0, 0.5)}  # painted back
    assert len(seen) > 10
    assert not seen & {(1.0, 0.0, 0.0), (0.5, 0.5, 0.5)}
    backend.close()


def test_all_is_put_back_when_looking_fails() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    backend.reset(ResetRequest(0, 0))
    colours = dict(simulator.colours)

    def broken(camera: str, size: int) -> np.ndarray:
        raise RuntimeError("no picture")

    simulator.rgb = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="no picture"):
        backend.counterfactual(("nuisance",), 1, ("front",), 32)
    assert simulator.colours == colours
    backend.close()


@pytest.mark.parametrize("factor", ["task", "light", "walls"])
def test_factors_that_this_backend_lacks_are_answered_with_those_it_has(
    factor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    env = fake_env("close_jar", Painting())
    env.reset(seed=0, options={"variation": 0})
    with pytest.raises(UnknownNameError, match="distractor:jar1, floor, nuisance, wall"):
        env.counterfactual(factor, 0)
    assert set(env.counterfactual("wall", 0)) == set(env.observation_space)
    env.close()


def test_without_the_task_factor_there_is_no_ratio_and_a_reason() -> None:
    ratio, reason = ner_of({"nuisance": {"d2": 0.1}, "wall": {"d2": 0.1}})
    assert ratio is None
    assert reason is not None
    assert "task" in reason


def test_the_cue_hangs_on_this_wall_too_and_is_taken_down() -> None:
    simulator = Painting()
    backend = fake_backend("close_jar", simulator)
    episode = backend.reset(ResetRequest(0, 0, "default", (Cue("colour", "aligned"),)))
    assert episode.details["perturbations"]["cue"]["colour"] == "red"
    assert simulator.poster_state == ((1.0, 0.0, 0.0), (cue.WALL_X, cue.MIDDLE_Y, cue.CENTRE_Z))
    assert "poster" in backend.present_factors()
    hung = simulator.poster_state
    before = backend.render(("front",), 64)["front"].rgb
    seen = backend.counterfactual(("poster",), 3, ("front",), 64)["front"].rgb
    assert (seen != before).any()
    assert simulator.poster_state == hung
    np.testing.assert_array_equal(backend.render(("front",), 64)["front"].rgb, before)
    backend.reset(ResetRequest(0, 0))
    assert simulator.poster_state is None
    assert "poster" not in backend.present_factors()
    backend.close()


def test_image_perturbations_work_through_the_wrappers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    plain = fake_env("close_jar", Painting())
    clean, _ = plain.reset(seed=0, options={"variation": 0})
    plain.close()
    env = perturb(fake_env("close_jar", Painting()), "gaussian_noise:severity=4,region=nuisance")
    noisy, _ = env.reset(seed=0, options={"variation": 0})
    changed = (noisy["front_rgb"] != clean["front_rgb"]).any(-1)
    assert changed.any()
    assert not changed[clean["front_mask"] != 0].any()
    np.testing.assert_array_equal(noisy["front_mask"], clean["front_mask"])
    env.close()
