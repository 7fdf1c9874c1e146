"""OpenVLA in process with the published modelling code and tiny random weights. ``make test-openvla`` runs this.

The code comes in no library: say where a clone of its repository lies (or a checkpoint folder that has the three files)
with ``OPENVLA_SOURCE=<folder>``. An installed ``prismatic`` and a clone called ``openvla`` beside ours are found too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_openvla import STATISTICS, seeds  # noqa: E402

from hansgym.abilities import ScoresTokens  # noqa: E402
from hansgym.agents._openvla_checkpoint import CODE, INSIDE_SOURCE  # noqa: E402
from hansgym.agents._openvla_decoder import with_empty_token  # noqa: E402
from hansgym.agents._openvla_local import PROMPTS  # noqa: E402
from hansgym.agents.check import check_agent, synthetic_batch  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.attribution.explain import explain  # noqa: E402
from hansgym.benchmarks import _random_openvla as random_openvla  # noqa: E402
from hansgym.errors import ConfigurationError  # noqa: E402


def places() -> list[Path]:
    """Folders that hold the published code."""
    told, installed = os.environ.get("OPENVLA_SOURCE"), importlib.util.find_spec("prismatic")
    clones = [Path(told)] if told else [Path(__file__).resolve().parents[3] / "openvla"]
    if installed is not None and installed.origin is not None:
        clones.append(Path(installed.origin).parents[1])
    return [p for clone in clones for p in (clone, clone / INSIDE_SOURCE) if (p / CODE[1]).is_file()]


PLACES = places()
TOLD = os.environ.get("OPENVLA_SOURCE")
assert PLACES or not TOLD, f"OPENVLA_SOURCE={TOLD} has no {INSIDE_SOURCE / CODE[1]}: not skipped"
MISSING = [m for m in ("transformers", "timm", "tokenizers") if importlib.util.find_spec(m) is None]
REASON = (
    f"NOT TESTED against OpenVLA's own code: {', '.join(MISSING)} not installed; run make test-openvla"
    if MISSING
    else "NOT TESTED against OpenVLA's own code: set OPENVLA_SOURCE=<clone of the OpenVLA repository>"
)
pytestmark = pytest.mark.skipif(bool(MISSING) or not PLACES, reason=REASON)

KEY = "bridge_orig"


@pytest.fixture(scope="module", autouse=True)
def torchvision_beside_a_torch_for_the_host() -> Iterator[None]:
    """A torchvision built for CUDA does not import beside a Torch without: its kernels cannot be loaded. Nobody calls
    them here (its transforms are Python), and naming them is enough.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.origin is not None
    try:
        torch.ops.load_library(Path(found.origin).parent / "_C.so")
    except OSError:
        for kernel in ("nms", "qnms"):
            library.define(f"{kernel}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    yield
    del library  # what it names lives as long as it does


def tiny_checkpoint(where: Path) -> Path:
    """The published classes with small parts: two vision backbones of 16-pixel patches and two layers of Llama."""
    text = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }

    def change(model: Any) -> None:
        """Random weights of their usual size would say nearly the same of every picture."""
        model.projector.fc3.weight.mul_(60.0)
        for parameter in model.language_model.parameters():
            parameter.mul_(2.0 if parameter.ndim == 2 else 1.0)
        head = model.language_model.lm_head.weight
        head[:31744] *= 0.2
        head[32000:] *= 0.2

    return random_openvla.save(
        where,
        random_openvla.program(PLACES[0]),
        text={**random_openvla.TEXT_7B, **text},
        backbones=["vit_tiny_patch16_224"] * 2,
        statistics=STATISTICS,
        change=change,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("openvla") / "tiny")


@pytest.fixture(scope="module")
def agent(folder: Path) -> Any:
    return make_agent(f"openvla:{folder},unnorm_key={KEY},trust_remote_code=true,device=cpu,max_batch=8")


def theirs(agent: Any, row: int, shown: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the published ``predict_action`` and ``generate`` make of one row: action, tokens, log-probabilities."""
    from PIL import Image

    found = agent.checkpoint
    text = PROMPTS["openvla"].replace("{instruction}", shown.instructions[row].lower())
    ids = torch.tensor([with_empty_token(found.tokenizer(text)["input_ids"])])
    picture = Image.fromarray(agent.mapping.views[0].show(shown.images["front"])[row])
    inputs = {
        "pixel_values": found.image_processor(picture, return_tensors="pt")["pixel_values"],
        "attention_mask": torch.ones_like(ids),
    }
    action = found.model.predict_action(ids, unnorm_key=KEY, do_sample=False, **inputs)
    said = found.model.generate(
        ids, max_new_tokens=7, do_sample=False, return_dict_in_generate=True, output_logits=True, **inputs
    )
    tokens = said.sequences[0, -7:]
    logp = torch.stack(said.logits, 1)[0].double().log_softmax(-1).gather(-1, tokens[:, None])[:, 0]
    return action, tokens.numpy(), logp.numpy()


def test_actions_tokens_and_log_probabilities_are_the_published_codes(agent: Any) -> None:
    shown = synthetic_batch(agent.spec, rows=6)
    tokens, said = agent.action_tokens(shown), agent.score_tokens(shown)
    units = agent.checkpoint.statistics.unnormalise(agent.checkpoint.vocabulary.numbers(tokens))
    assert len(np.unique(tokens)) > 5, "a model that always says the same would show nothing"
    assert agent.checkpoint.vocabulary.means_action(tokens).mean() > 0.5
    for row in range(6):
        action, ids, logp = theirs(agent, row, shown)
        np.testing.assert_array_equal(tokens[row], ids)
        np.testing.assert_allclose(units[row], action, atol=1e-12)
        np.testing.assert_allclose(said.logp[row], logp, atol=1e-3)


def test_it_passes_every_check_of_agents_and_can_be_explained(agent: Any) -> None:
    assert isinstance(agent, ScoresTokens)
    report = check_agent(agent)
    assert report.ok, str(report)
    assert report.check("image").value > 0
    shown = synthetic_batch(agent.spec, rows=1)
    own, said = agent.score_tokens(shown), replace(shown, instructions=("sing",))
    assert np.abs(agent.score_tokens(said, own.tokens).logp - own.logp).max() > 1e-3, "words must matter"
    assert explain(agent, shown, n_masks=10)[0].mean_effect > 0
    assert explain(agent, shown, "iss_logp", n_masks=10)[0].mean_effect > 0
    assert agent.act(shown, seeds(1)).shape == (1, 4, 7)


def test_their_image_processor_is_matched_on_the_device(agent: Any) -> None:
    assert agent._pictures.direct, "pixels made on the device must equal the checkpoint's own"


def test_code_from_elsewhere_and_lower_precision(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "fine-tuned"
    shutil.copytree(folder, bare, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (bare / "dataset_statistics.json").write_text(json.dumps({"mine": STATISTICS[KEY]}))
    with pytest.raises(ConfigurationError, match="lacks the model's program"):
        make_agent(f"openvla:{bare},trust_remote_code=true")
    agent = make_agent(f"openvla:{bare},code={PLACES[0]},dtype=bfloat16,device=cpu,horizon=2")
    assert agent.spec.details["unnorm_key"] == "mine"
    shown = synthetic_batch(agent.spec, rows=2)
    assert agent.act(shown, seeds(2)).shape == (2, 2, 7)
    said = agent.score_tokens(shown)
    assert (said.logp < 0).all()
    assert ((said.mass > 0) & (said.mass <= 1.001)).all()


def test_weights_that_are_not_there_are_not_left_to_chance(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    short = shutil.copytree(folder, tmp_path / "short")
    weights = load_file(short / "model.safetensors")
    lost = weights.pop("projector.fc1.weight")
    assert lost.numel() > 0
    save_file(weights, short / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigurationError, match=r"no weights for 1 parts .*'projector\.fc1\.weight'.*left random"):
        make_agent(f"openvla:{short},unnorm_key={KEY},trust_remote_code=true,device=cpu")


def test_a_picture_that_is_not_square_goes_through_their_processor(agent: Any) -> None:
    """The device's way is for pictures of the backbones' size; any other is the processor's to resize."""
    shown = synthetic_batch(agent.spec, rows=1)
    view = agent._pictures.view
    agent._pictures.view = type(view)(view.key, view.camera, size=(200, 240))
    try:
        pixels = agent._pictures.pixels(shown)
    finally:
        agent._pictures.view = view
    assert tuple(pixels.shape) == (1, 6, 224, 224)
