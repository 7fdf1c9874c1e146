"""OpenVLA with random weights: the published program and image processor, and whatever sizes are asked for."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hansgym.agents._openvla_checkpoint import CODE, INSIDE_SOURCE, package_of
from hansgym.agents._torch_draws import no_draws
from hansgym.errors import ConfigurationError
from hansgym.lookup import require

EXTRA = "openvla"
KEY = "bridge_orig"
STATISTICS = {
    KEY: {
        "action": {
            "q01": [-0.02, -0.04, -0.03, -0.08, -0.09, -0.2, 0.0],
            "q99": [0.03, 0.04, 0.05, 0.08, 0.07, 0.2, 1.0],
            "mask": [True] * 6 + [False],
        }
    }
}
"""Made-up scales of the actions, in the form of the published ones."""

TEXT_7B: dict[str, int] = {"vocab_size": 32064, "pad_token_id": 32000}
"""Everything else is Llama 2's of 7 billion parameters, which its configuration has by default."""


def openvla(folder: Path, device: str = "cpu", seed: int = 0, code: Path | None = None) -> str:
    """OpenVLA: 7.5 billion parameters in bfloat16, two vision backbones, seven tokens an action."""
    save(folder, program(code), device, seed, "bfloat16")
    return f"openvla:{folder},unnorm_key={KEY},trust_remote_code=true"


def program(code: Path | None) -> Path:
    """The folder of the published Python files in ``code``, a clone or that folder itself."""
    places = [] if code is None else [code, code / INSIDE_SOURCE]
    for place in places:
        if all((place / name).is_file() for name in CODE):
            return place.resolve()
    raise ConfigurationError(
        f"OpenVLA's program is part of no library, and code={str(code) if code else None!r} does not hold it "
        f"({', '.join(CODE)}); give --code <a clone of the OpenVLA repository>"
    )


def save(
    folder: Path,
    code: Path,
    device: str = "cpu",
    seed: int = 0,
    dtype: str = "float32",
    text: Mapping[str, int] = TEXT_7B,
    backbones: Sequence[str] = (),
    statistics: Mapping[str, Any] = STATISTICS,
    change: Any = None,
) -> Path:
    """A random model with its program, processor and tokenizer in ``folder``.

    ``backbones``: names of timm's vision models, by default the published ones; ``change(model)``: what to do to the
    weights.
    """
    torch = require("torch", EXTRA)
    package = package_of(code)
    configuration, modeling, processing = (importlib.import_module(f"{package}.{name[:-3]}") for name in CODE)
    config = configuration.OpenVLAConfig(
        norm_stats=dict(statistics),
        vision_backbone_id="dinosiglip-vit-so-224px",
        llm_backbone_id="llama2-7b-pure",
        arch_specifier="no-align+fused-gelu-mlp",
        image_resize_strategy="resize-naive",
        text_config=dict(text),
    )
    if backbones:
        config.timm_model_ids = list(backbones)
    torch.manual_seed(seed)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device), no_draws():
            model = modeling.OpenVLAForActionPrediction(config)
    finally:
        torch.set_default_dtype(usual)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, (parameter.numel() / len(parameter)) ** -0.5)  # keeps the size of what goes in
            elif not bool(parameter.isfinite().all()):
                parameter.zero_()
        if change is not None:
            change(model)
    model.save_pretrained(folder, safe_serialization=True, max_shard_size="2GB")
    _processor(processing).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    for name in CODE:
        shutil.copy(code / name, folder / name)
    return folder


def _processor(processing: Any) -> Any:
    return processing.PrismaticImageProcessor(
        use_fused_vision_backbone=True,
        image_resize_strategy="resize-naive",
        input_sizes=[(3, 224, 224)] * 2,
        interpolations=["bicubic"] * 2,
        means=[(0.484375, 0.455078125, 0.40625), (0.5, 0.5, 0.5)],
        stds=[(0.228515625, 0.2236328125, 0.224609375), (0.5, 0.5, 0.5)],
    )


def tokenizer() -> Any:
    """A tokenizer as Llama's in what matters: ids below 32000, BOS first, no empty token of its own accord."""
    tokenizers, transformers = require("tokenizers", EXTRA), require("transformers", EXTRA)
    letters = {letter: 3 + k for k, letter in enumerate(["\n", *map(chr, range(32, 127))])}
    words = {"<unk>": 0, "<s>": 1, "</s>": 2, **letters}
    core = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    core.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    core.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
