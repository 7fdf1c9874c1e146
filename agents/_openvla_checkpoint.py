"""Load an OpenVLA checkpoint from a folder: everything is checked before the first line of its code runs.

The modelling code is not part of any library: it travels with the checkpoint (``modeling_prismatic.py`` and two more
files). It is run only when the user says so, only from a folder, and nothing is fetched from a hub.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hansgym.agents._action_tokens import ActionVocabulary, Statistics, statistics
from hansgym.agents._weights import fingerprint, read_json, safetensors_of
from hansgym.errors import ConfigurationError
from hansgym.lookup import require

CODE = ("configuration_prismatic.py", "modeling_prismatic.py", "processing_prismatic.py")
INSIDE_SOURCE = Path("prismatic") / "extern" / "hf"
"""Where these files lie in a clone of the published repository."""

_OFT = ("action_head--*", "proprio_projector--*", "noisy_action_projector--*")


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: ``model``, ``tokenizer`` and ``image_processor`` as the published code has them."""

    name: str
    model: Any
    tokenizer: Any
    image_processor: Any
    vocabulary: ActionVocabulary
    statistics: Statistics
    weights: str = ""


@dataclass(frozen=True)
class Files:
    """What was found in a folder, before anything of it ran."""

    folder: Path
    weights: tuple[Path, ...]
    vocabulary: ActionVocabulary
    statistics: Statistics
    code: Path


def inspect(folder: Path, unnorm_key: str | None, trusted: bool, code: Path | None = None) -> Files:
    """Check ``folder`` without running anything of it; whatever is amiss raises :class:`ConfigurationError`.

    ``trusted``: the user lets the folder's own Python files run; ``code``: those of another folder instead.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"{str(folder)!r} is no folder; give a downloaded OpenVLA checkpoint, or http://HOST:PORT of a server"
        )
    config = read_json(folder / "config.json")
    if config.get("model_type") != "openvla":
        raise ConfigurationError(f"{folder} holds a {config.get('model_type')!r} model; give an OpenVLA checkpoint")
    heads = sorted(p.name for pattern in _OFT for p in folder.glob(pattern))
    if heads:
        raise ConfigurationError(
            f"{folder} is an OpenVLA-OFT checkpoint ({heads[0]}); run its own server and use "
            "openvla:http://HOST:PORT,mapping=openvla_libero"
        )
    weights = safetensors_of(folder)
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        read_json(folder / name)
    own = folder / "dataset_statistics.json"
    table = read_json(own) if own.is_file() else config.get("norm_stats") or {}
    return Files(
        folder, tuple(weights), _vocabulary(config, folder), statistics(table, unnorm_key, str(folder)),
        _code_folder(folder, trusted, code),
    )  # fmt: skip


def _vocabulary(config: dict[str, Any], folder: Path) -> ActionVocabulary:
    """Ids of actions end where the tokenizer's own end: before what the table of embeddings was rounded up by."""
    text = config.get("text_config") or {}
    sizes = [text.get("vocab_size", 32064), config.get("pad_to_multiple_of", 64), config.get("n_action_bins", 256)]
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in sizes):
        raise ConfigurationError(f"{folder / 'config.json'} has vocabulary sizes {sizes}; they must be whole numbers")
    return ActionVocabulary(sizes[0] - sizes[1], sizes[2], sizes[0])


def _code_folder(folder: Path, trusted: bool, code: Path | None) -> Path:
    if code is None and not trusted:
        raise ConfigurationError(
            f"an OpenVLA checkpoint brings its own program, and {folder} is not trusted to run it. Read "
            f"{', '.join(CODE)} there, then write trust_remote_code=true; or give code=<folder> with files you trust"
        )
    where = folder if code is None else code
    found = next((p for p in (where, where / INSIDE_SOURCE) if (p / CODE[1]).is_file()), None)
    if found is None or any(not (found / name).is_file() for name in CODE):
        raise ConfigurationError(
            f"{where} lacks the model's program ({', '.join(CODE)}), which fine-tuned checkpoints often leave to a "
            "hub; give code=<a folder with these files, such as a clone of the OpenVLA repository>"
        )
    return found


def load(files: Files, device: Any, dtype: Any) -> Checkpoint:
    """Run the program and read the weights; a checkpoint that leaves weights to chance raises."""
    transformers = require("transformers", "openvla")
    modeling, processing = _program(files.code)
    where, local = str(files.folder), {"local_files_only": True}
    try:
        model, found = modeling.OpenVLAForActionPrediction.from_pretrained(
            where, torch_dtype=dtype, low_cpu_mem_usage=True, use_safetensors=True, output_loading_info=True, **local
        )
        pictures = processing.PrismaticImageProcessor.from_pretrained(where, **local)
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, trust_remote_code=False, **local)
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ConfigurationError(
            f"{files.folder} cannot be loaded ({type(error).__name__}: {str(error)[:400]}); use the versions of "
            "pip install 'hansgym[openvla]', which the published code was written for"
        ) from error
    if found["missing_keys"]:
        raise ConfigurationError(
            f"{files.folder} has no weights for {len(found['missing_keys'])} parts of the model (such as "
            f"{sorted(found['missing_keys'])[0]!r}), which would be left random; give the whole checkpoint"
        )
    model = model.to(device).eval()
    name, weights = files.folder.resolve().name, fingerprint(files.weights)
    return Checkpoint(name, model, tokenizer, pictures, files.vocabulary, files.statistics, weights)


def _program(folder: Path) -> tuple[ModuleType, ModuleType]:
    """The modules of the model and of its processor."""
    package = package_of(folder)
    try:
        return tuple(importlib.import_module(f"{package}.{name[:-3]}") for name in CODE[1:])  # type: ignore[return-value]
    except Exception as error:  # somebody else's program, and what it imports, may raise anything
        raise ConfigurationError(
            f"the program in {folder} does not start ({type(error).__name__}: {str(error)[:300]}); use the versions of "
            "pip install 'hansgym[openvla]', with torch and torchvision of one release"
        ) from error


def package_of(folder: Path) -> str:
    """The name under which ``folder``'s files can be imported, and import each other, without being on any path."""
    content = b"".join((folder / name).read_bytes() for name in CODE)
    name = f"hansgym_openvla_{hashlib.sha256(str(folder.resolve()).encode() + content).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_loader(name, loader=None, is_package=True)
        assert spec is not None
        package: ModuleType = importlib.util.module_from_spec(spec)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name
