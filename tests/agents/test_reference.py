"""The shipped policies: they load, they are small, and a row's answer depends on that row alone."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.agents.check import synthetic_batch
from hansgym.agents.reference import weight_files
from hansgym.agents.registry import make_agent
from hansgym.errors import HansGymError

torch = pytest.importorskip("torch")
NAMES = ("hans", "hans-colour", "pfungst")


def test_three_policies_ship_and_each_is_small() -> None:
    files = weight_files()
    assert set(NAMES) <= set(files)
    for name, path in files.items():
        assert path.stat().st_size <= 10e6, name


@pytest.mark.parametrize("name", NAMES)
def test_answers_do_not_depend_on_the_batch(name: str) -> None:
    agent = make_agent(f"reference:{name}")
    batch = synthetic_batch(agent.spec, rows=21, seed=0)
    seeds = np.zeros(21, np.uint64)
    together = agent.act(batch, seeds)
    assert together.shape == (21, 16, 8)
    for row in (0, 7, 20):
        np.testing.assert_array_equal(agent.act(batch.take([row]), seeds[:1])[0], together[row])
    order = np.random.default_rng(0).permutation(21)
    np.testing.assert_array_equal(agent.act(batch.take(order), seeds), together[order])


@pytest.mark.parametrize("name", NAMES)
def test_targets_are_near_the_measured_joints(name: str) -> None:
    agent = make_agent(f"reference:{name}")
    batch = synthetic_batch(agent.spec, rows=4, seed=1)
    chunk = agent.act(batch, np.zeros(4, np.uint64))
    assert np.isfinite(chunk).all()
    assert set(np.unique(chunk[..., 7])) <= {0.0, 1.0}


def test_unknown_names_and_foreign_files_are_refused(tmp_path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(HansGymError, match="pfungst"):
        make_agent("reference:pfungts")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, str(foreign))
    with pytest.raises(HansGymError, match="vocabulary"):
        make_agent("reference:mine", weights=foreign)


def test_a_colour_query_finds_the_colour_it_was_given() -> None:
    """A quadric chosen by hand, 4 - 100 |rgb - c|^2, is a soft mask of the pixels that have colour c."""
    from hansgym.agents.reference_net import QUERIES, ColourQuery

    colours = torch.tensor([[0.5, -1.0, 0.0], [1.0, 1.0, 1.0]])
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.4 - 0.9
    for row in range(2):
        image[row, :, 2, 5] = colours[row]
    query = ColourQuery(film=6)
    with torch.no_grad():
        query.quadrics.bias.zero_()
        query.quadrics.weight.zero_()
        # The context carries c and |c|^2, from which -|x - c|^2 = 2 c.x - |x|^2 - |c|^2 is linear.
        table = query.quadrics.weight.view(QUERIES, 10, 6)
        for k in range(3):
            table[0, k, k] = 200.0
            table[0, 3 + k, 4] = -100.0
        table[0, 9, 3], table[0, 9, 4] = -100.0, 4.0
        ones = torch.ones(2, 1)
        context = torch.cat([colours, (colours**2).sum(1, keepdim=True), ones, 0 * ones], dim=1)
        masks = query(image, context)
    assert masks.shape == (2, QUERIES, 8, 8)
    expected = torch.sigmoid(4.0 - 100.0 * ((image - colours[:, :, None, None]) ** 2).sum(1))
    torch.testing.assert_close(masks[:, 0], expected, atol=1e-4, rtol=0)
    assert (masks[:, 0] > 0.5).sum().item() == 2
    torch.testing.assert_close(masks[:, 1:], torch.full((2, QUERIES - 1, 8, 8), 0.5))
