"""OpenVLA in process, on a tiny model of ours with its interface; ``test_openvla_real.py`` has the published code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tiny_openvla import STATISTICS, Processor, TinyOpenvla, checkpoint, folder_of_one, seeds  # noqa: E402

from hansgym.abilities import HasNetwork, ScoresTokens  # noqa: E402
from hansgym.agents._action_tokens import ActionVocabulary, scores, statistics  # noqa: E402
from hansgym.agents._openvla_checkpoint import _program  # noqa: E402
from hansgym.agents._openvla_decoder import EMPTY_TOKEN, with_empty_token  # noqa: E402
from hansgym.agents._openvla_local import PROMPTS, OpenvlaLocalAgent, Options  # noqa: E402
from hansgym.agents.check import check_agent, synthetic_batch  # noqa: E402
from hansgym.agents.kernels.numpy import materialise  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.attribution.designs import bernoulli  # noqa: E402
from hansgym.attribution.explain import explain  # noqa: E402
from hansgym.batch import Batch, MaskedBatch  # noqa: E402
from hansgym.benchmarks._iss_cost_policy import watched  # noqa: E402
from hansgym.errors import AgentError, ConfigurationError, HansGymError  # noqa: E402
from hansgym.specs import check_chunk  # noqa: E402

# ---------------------------------------------------------------- tokens and numbers


def test_published_ids_mean_the_published_numbers() -> None:
    vocabulary = ActionVocabulary(32000, 256)
    assert (vocabulary.first, len(vocabulary.centres)) == (31744, 255)
    centres = np.linspace(-1, 1, 256)[:-1] + 1 / 255
    np.testing.assert_allclose(vocabulary.numbers(np.array([31999, 31998, 31745, 31744])), centres[[0, 1, 254, 254]])
    assert vocabulary.numbers(np.array([32063])) == centres[0], "ids beyond the actions are the nearest action's"
    assert vocabulary.numbers(np.array([5])) == centres[254]
    with pytest.raises(ConfigurationError, match="300 action bins, 256 ids"):
        ActionVocabulary(256, 300)
    assert vocabulary.means_action(np.array([31743, 31744, 31999, 32000])).tolist() == [False, True, True, False]


@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=9), st.integers(2, 400))
def test_numbers_survive_being_tokens_to_half_a_bin(numbers: list[float], bins: int) -> None:
    vocabulary = ActionVocabulary(32000, bins)
    ids = vocabulary.ids(np.array(numbers))
    assert vocabulary.means_action(ids).all()
    gap = np.abs(vocabulary.numbers(ids) - np.clip(numbers, -1, 1))
    assert gap.max() <= 1 / (bins - 1) + 1e-12


def test_units_of_the_data_set_where_the_mask_says_so() -> None:
    found = statistics(STATISTICS, "bridge_orig", "here")
    np.testing.assert_allclose(found.unnormalise(np.full(7, -1.0)), [*found.low[:6], -1.0])
    np.testing.assert_allclose(found.unnormalise(np.full(7, 1.0)), [*found.high[:6], 1.0])
    np.testing.assert_allclose(found.unnormalise(np.zeros(7))[:2], [0.005, 0.0], atol=1e-12)
    assert statistics({"only": STATISTICS["other_data"]}, None, "here").key == "only"
    assert statistics(STATISTICS, "other_data", "here").mask.all(), "without a mask everything is scaled"


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        (STATISTICS, None, r"knows 2 data sets .*give unnorm_key=<one of bridge_orig, other_data>"),
        (STATISTICS, "bridge_org", r"unnorm_key of here 'bridge_org'. Did you mean 'bridge_orig'"),
        ({}, None, "no action statistics"),
        ({"a": {}}, "a", "q01 and q99 must be there"),
        ({"a": {"action": {"q01": [0, 1], "q99": [1]}}}, "a", "they need one length"),
        ({"a": {"action": {"q01": [2], "q99": [1]}}}, "a", "q99 above q01"),
        ({"a": {"action": {"q01": [float("nan")], "q99": [1]}}}, "a", "a list of finite numbers"),
        ({"a": {"action": {"q01": ["x"], "q99": [1]}}}, "a", "a list of finite numbers"),
        ({"a": {"action": {"q01": [0], "q99": [1], "mask": [1]}}}, "a", "do not go together"),
    ],
)
def test_statistics_that_will_not_do(table: dict[str, Any], key: str | None, message: str) -> None:
    with pytest.raises(HansGymError, match=message):
        statistics(table, key, "here")


def test_log_probabilities_of_a_known_distribution() -> None:
    """Two ids of four are actions; logits are logarithms of 1, 2, 3, 4."""
    vocabulary = ActionVocabulary(size=3, bins=2)
    logits = torch.log(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])) + 7.0
    logp, mass = scores(logits, torch.tensor([[2]]), vocabulary)
    np.testing.assert_allclose(np.exp(logp), [[0.3]], rtol=1e-6)
    np.testing.assert_allclose(mass, [[0.5]], rtol=1e-6)


# ---------------------------------------------------------------- the agent


def agent(**options: Any) -> OpenvlaLocalAgent:
    changes = {k: options.pop(k) for k in ("model", "image_processor", "statistics") if k in options}
    return OpenvlaLocalAgent(checkpoint(**changes), Options(**options))


def observations(subject: OpenvlaLocalAgent, rows: int = 5) -> Batch:
    return synthetic_batch(subject.spec, rows)


def step_by_step(subject: OpenvlaLocalAgent, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and log-probabilities with no batch, no cache and no teacher: everything anew for every token."""
    model, tokens, logps = subject.checkpoint.model, [], []
    for row in range(len(batch)):
        one = batch.take([row])
        text = PROMPTS["openvla"].replace("{instruction}", one.instructions[0].lower())
        ids = with_empty_token(subject.checkpoint.tokenizer(text)["input_ids"])
        pixels = subject.checkpoint.image_processor(list(subject.mapping.views[0].show(one.images["front"])), "pt")
        chosen, logp = [], []
        for _ in range(7):
            given = torch.tensor([ids + chosen])
            with torch.inference_mode():
                out = model(given, torch.ones_like(given), pixels["pixel_values"], use_cache=False)
            place = out.logits[0, -1].double().log_softmax(-1)
            chosen.append(int(place.argmax()))
            logp.append(float(place[chosen[-1]]))
        tokens.append(chosen)
        logps.append(logp)
    return np.array(tokens), np.array(logps)


def test_batched_tokens_and_teacher_forced_log_probabilities_are_those_of_decoding_step_by_step() -> None:
    subject = agent()
    shown = observations(subject)
    assert len({len(i) for i in shown.instructions}) > 2, "prompts of several lengths"
    tokens, logp = step_by_step(subject, shown)
    assert len(np.unique(tokens)) > 10, "a model that always says the same would show nothing"
    np.testing.assert_array_equal(subject.action_tokens(shown), tokens)
    assert isinstance(subject, ScoresTokens)
    said = subject.score_tokens(shown)
    np.testing.assert_array_equal(said.tokens, tokens)
    np.testing.assert_allclose(said.logp, logp, atol=1e-4)
    np.testing.assert_allclose(said.total, logp.sum(1), atol=1e-3)
    assert ((said.mass > 0) & (said.mass <= 1 + 1e-6)).all()


def test_scores_of_given_tokens_depend_on_the_tokens_before_them_only() -> None:
    subject = agent()
    shown = observations(subject, 2)
    own = subject.score_tokens(shown)
    other = own.tokens.copy()
    other[:, 3] = 31800
    changed = subject.score_tokens(shown, other)
    np.testing.assert_allclose(changed.logp[:, :3], own.logp[:, :3], atol=1e-5)
    assert (np.abs(changed.logp[:, 3:5] - own.logp[:, 3:5]) > 0.1).all()
    one = subject.score_tokens(shown, own.tokens[0])
    np.testing.assert_array_equal(one.tokens, own.tokens[[0, 0]])
    for bad in (own.tokens[:, :3], own.tokens.astype(float)):
        with pytest.raises(AgentError, match="whole numbers of shape"):
            subject.score_tokens(shown, bad)
    for far in (-1, 32064):
        with pytest.raises(AgentError, match=r"they must be ids from 0 to 32063"):
            subject.score_tokens(shown, np.full(7, far))


def test_masked_views_are_asked_how_probable_the_clean_action_still_is() -> None:
    subject = agent()
    base = observations(subject, 1)
    own = subject.score_tokens(base).tokens[0]
    bits = np.ones((3, 7, 7), np.uint8)
    bits[1] = 0
    bits[2, :4] = 0
    masked = subject.score_tokens(MaskedBatch(base, {"front": bits}), own)
    plain = subject.score_tokens(materialise(MaskedBatch(base, {"front": bits})), own)
    np.testing.assert_allclose(masked.logp, plain.logp, atol=0.5)  # one grey level, and this model is sensitive
    np.testing.assert_allclose(masked.total[0], subject.score_tokens(base).total[0], atol=1e-3)
    assert masked.total[1] < masked.total[0] - 1, "hidden behind its blur, the picture calls for another action"


def test_log_probabilities_make_a_map_with_one_decoding() -> None:
    """Against the definition with a batch per mask: 2 x 2 cells, and the model's batches are counted."""
    subject = agent(max_batch=8)
    base, model = observations(subject, 1), subject.checkpoint.model
    own = subject.score_tokens(base).tokens[0]
    model.batches.clear()
    found = explain(subject, base, "iss_logp", seed=[5], n_masks=20, grid=2)[0]
    assert model.batches == [1, 7, 7, 7], "the clean view's action, then 21 rows, each a single pass"
    assert found.evaluations == 22
    np.testing.assert_array_equal(found.clean_chunk, subject.act(base, seeds(1))[0])
    bits = bernoulli(5, ("front",), 20, 0.3, 2)["front"]

    def logp(mask: np.ndarray) -> np.ndarray:
        return subject.score_tokens(MaskedBatch(base, {"front": mask[None]}), own).logp[0]

    clean = logp(np.ones((2, 2), np.uint8))
    squared = np.array([(logp(mask) - clean) ** 2 for mask in bits])
    delta = squared.mean(1)
    due = ((delta - delta.mean())[:, None, None] * (1 - bits - 0.7)).sum(0) / (19 * 0.7)
    np.testing.assert_allclose(found.cells["front"], due, rtol=1e-3, atol=1e-3)
    assert found.mean_effect == pytest.approx(delta.mean(), rel=1e-3)
    assert found.gripper_share == pytest.approx(squared[:, 6].sum() / squared.sum(), rel=1e-3)


def test_the_mass_is_the_sum_of_the_probabilities_of_all_action_tokens() -> None:
    subject = agent()
    shown = observations(subject, 1)
    own = subject.score_tokens(shown)
    prompt, pixels = torch.tensor(subject._prompts(shown)), subject._pictures.pixels(shown)
    with torch.inference_mode():
        logits = subject._decoder.logits(prompt, pixels, torch.tensor(own.tokens)).double().numpy()[0]
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(share[:, 31744:32000].sum(1), own.mass[0], rtol=1e-6)
    np.testing.assert_allclose(np.log(share[np.arange(7), own.tokens[0]]), own.logp[0], rtol=1e-6)


def test_the_trap_token_is_there_once() -> None:
    assert with_empty_token([1, 5]) == [1, 5, EMPTY_TOKEN]
    assert with_empty_token([1, 5, EMPTY_TOKEN]) == [1, 5, EMPTY_TOKEN]
    subject = agent()
    prompts = subject._prompts(observations(subject, 3))
    assert [(p[0], p[-1], p.count(EMPTY_TOKEN)) for p in prompts] == [(1, EMPTY_TOKEN, 1)] * 3


def test_actions_go_through_statistics_and_mapping() -> None:
    subject = agent()
    shown = observations(subject, 3)
    assert (subject.spec.action.mode, subject.spec.horizon, subject.spec.cameras) == ("ee_delta", 4, ("front",))
    chunk = check_chunk(subject.act(shown, seeds(3)), 3, subject.spec)
    numbers = subject.checkpoint.vocabulary.numbers(subject.action_tokens(shown))
    units = subject.checkpoint.statistics.unnormalise(numbers)
    np.testing.assert_allclose(chunk[:, :, :3].sum(1), units[:, :3], atol=1e-9)
    np.testing.assert_array_equal(chunk[:, :, 6], np.repeat(units[:, 6:] > 0.5, 4, 1))
    assert subject.spec.details["unnorm_key"] == "bridge_orig"


def test_libero_mappings_give_controller_units_and_say_what_is_not_shown() -> None:
    one, oft = agent(mapping="openvla_libero_single"), agent(mapping="openvla_libero")
    assert one.spec.details["flags"] == []
    assert "wrist_image, state" in oft.spec.details["flags"][0]
    assert oft.spec.cameras == one.spec.cameras == ("front",)
    shown = observations(one, 2)
    units = one.checkpoint.statistics.unnormalise(one.checkpoint.vocabulary.numbers(one.action_tokens(shown)))
    np.testing.assert_allclose(one.act(shown, seeds(2))[:, 0, :3], 0.05 * units[:, :3], atol=1e-9)
    with pytest.raises(ConfigurationError, match=r"have 7 numbers; mapping 'rlbench' means 8: choose the mapping"):
        agent(mapping="rlbench")
    with pytest.raises(ConfigurationError, match=r"lasts 4 control steps, horizon=9 is more"):
        agent(horizon=9)
    assert agent(horizon=2).spec.horizon == 2


def test_it_passes_every_check_of_agents() -> None:
    report = check_agent(agent(max_batch=4))
    assert report.ok, str(report)
    assert report.check("lazy").status == report.check("tokens").status == "pass"
    assert report.check("instruction").value > 0, "the words must matter to this model"
    assert report.check("image").value > 0, "and the picture"


@pytest.mark.parametrize("mapping", ["openvla_bridge", "openvla_libero_single", "openvla_libero"])
@pytest.mark.parametrize("faithful", [True, False])
def test_masked_views_are_blended_before_mirroring_or_after_alike(mapping: str, faithful: bool) -> None:
    processor = Processor(faithful)
    subject = agent(mapping=mapping, image_processor=processor)
    assert subject._pictures.direct is faithful
    base = observations(subject, 1)
    masked = MaskedBatch(base, {"front": (np.random.default_rng(0).random((6, 7, 7)) < 0.5).astype(np.uint8)})
    used = processor.calls
    lazy, plain = subject._pictures.pixels(masked), subject._pictures.pixels(materialise(masked))
    assert (processor.calls > used) is not faithful
    assert lazy.shape == (6, 6, 224, 224)
    assert float((lazy - plain).abs().max()) <= 1.02 / 255 / 0.224, "one grey level"
    assert float((lazy[0] - lazy[1]).abs().max()) > 0.1


def test_the_fast_way_is_the_processors() -> None:
    subject, slow = agent(), agent()
    slow._pictures.direct = False
    shown = observations(subject, 2)
    np.testing.assert_array_equal(subject._pictures.pixels(shown), slow._pictures.pixels(shown))


def test_an_attribution_through_it_finds_the_camera() -> None:
    subject = agent()
    result = explain(subject, observations(subject, 1), n_masks=12)[0]
    assert result.cells["front"].shape == (7, 7)
    assert result.mean_effect > 0
    assert result.noise_control == "deterministic"


def test_its_decoding_is_told_from_the_preparation_of_pictures_and_words() -> None:
    subject = agent()
    assert isinstance(subject, HasNetwork)
    shown = observations(subject, 1)
    with watched(subject) as (proxy, spent):
        explain(proxy, shown, n_masks=5)
    assert len(spent) == 1  # the clean view and five masked ones in one batch
    explain(subject, shown, n_masks=5)
    assert len(spent) == 1


def test_batches_are_halved_until_they_fit() -> None:
    roomy, narrow = TinyOpenvla().eval(), TinyOpenvla(memory=3).eval()
    subject, due = agent(model=narrow, max_batch=16), agent(model=roomy, max_batch=16)
    shown = observations(subject, 13)
    same = Batch(shown.images, shown.state, shown.instructions[:1] * 13, shown.rows)
    np.testing.assert_array_equal(subject.action_tokens(same), due.action_tokens(same))
    assert narrow.batches[:3] == [13, 6, 3]
    assert max(narrow.batches[3:]) <= 3
    narrow.batches.clear()
    subject.action_tokens(same)
    assert max(narrow.batches) <= 3, "what did not fit is not tried again"
    with pytest.raises(AgentError, match=r"does not hold a single row .*use a larger device"):
        agent(model=TinyOpenvla(memory=0).eval()).act(shown.take([0]), seeds(1))


def test_other_errors_of_the_model_are_not_taken_for_memory() -> None:
    subject = agent()
    subject.checkpoint.model.patches = torch.nn.Conv2d(3, 24, 56, 56)
    with pytest.raises(RuntimeError, match="channels"):
        subject.act(observations(subject, 2), seeds(2))


def test_options_that_do_not_exist() -> None:
    for options, message in (
        ({"prompt": "v02"}, "prompt 'v02'"),
        ({"dtype": "int8"}, "dtype 'int8'"),
        ({"max_batch": 0}, "max_batch=0"),
    ):
        with pytest.raises(HansGymError, match=message):
            Options(**options)
    with pytest.raises(HansGymError, match="trust_remote_code='maybe' cannot be read"):
        make_agent("openvla:/nowhere,trust_remote_code=maybe")
    with pytest.raises(HansGymError, match="option of agent 'openvla' 'unorm_key'"):
        make_agent("openvla:/nowhere", unorm_key="x")


# ---------------------------------------------------------------- checkpoint folders


def _json(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        table = json.loads((folder / name).read_text())
        change(table)
        (folder / name).write_text(json.dumps(table))

    return spoil


def _index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "part-1.safetensors"}}))


FOLDERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), r"has no config\.json; give the whole checkpoint"),
    "not JSON": (lambda f: (f / "config.json").write_text("<html>"), r"config\.json is not JSON"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "holds a list; it must be a table"),
    "another model": (_json("config.json", lambda c: c.update(model_type="llama")), "holds a 'llama' model"),
    "vocabulary": (_json("config.json", lambda c: c.update(n_action_bins="256")), "vocabulary sizes .*'256'"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), r"lacks model\.safetensors; give a folder with all"),
    "pickled": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
        r"pytorch_model\.bin is a pickle, which is not opened",
    ),
    "a part": (_index, r"lacks part-1\.safetensors"),
    "OFT": (
        lambda f: (f / "action_head--150000_checkpoint.pt").touch(),
        r"OpenVLA-OFT checkpoint .*run its own server",
    ),
    "no tokenizer": (lambda f: (f / "tokenizer_config.json").unlink(), r"has no tokenizer_config\.json"),
    "own statistics": (
        lambda f: (f / "dataset_statistics.json").write_text('{"mine": {}}'),
        r"unnorm_key of .* 'bridge_orig'.*Choose one of: mine",
    ),
    "no program": (
        lambda f: (f / "modeling_prismatic.py").unlink(),
        r"lacks the model's program .*give code=<a folder",
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_are_checked_before_anything_of_them_runs(name: str, tmp_path: Path) -> None:
    folder = folder_of_one(tmp_path / "checkpoint")
    spoil, message = FOLDERS[name]
    spoil(folder)
    with pytest.raises(HansGymError, match=f"(?s){message}"):
        make_agent(f"openvla:{folder},unnorm_key=bridge_orig,trust_remote_code=true")


def test_a_program_that_does_not_start_says_so(tmp_path: Path) -> None:
    folder = folder_of_one(tmp_path / "checkpoint")
    (folder / "modeling_prismatic.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    with pytest.raises(ConfigurationError, match=r"does not start \(RuntimeError: .*nms.*torchvision of one release"):
        _program(folder)


def test_the_checkpoints_program_does_not_run_unasked(tmp_path: Path) -> None:
    folder = folder_of_one(tmp_path / "checkpoint")
    for settings in ("", ",trust_remote_code=false"):
        with pytest.raises(ConfigurationError, match=r"(?s)brings its own program, .*write trust_remote_code=true"):
            make_agent(f"openvla:{folder},unnorm_key=bridge_orig{settings}")
    with pytest.raises(ConfigurationError, match="knows 2 data sets"):
        make_agent(f"openvla:{folder},trust_remote_code=true")
