"""LeRobot checkpoints: found, checked before anything is built from them, loaded, and compared with what was loaded.

LeRobot hands out a policy with random weights where a file is missing or does not fit. Here every tensor of the file
must be found in the policy, and every tensor of the policy in the file. Nothing is unpickled, and the processors that a
checkpoint asks for must be LeRobot's own: LeRobot would import whatever class a file names.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hansgym.agents import _lerobot_kinds as kinds
from hansgym.agents._lerobot_code import no_foreign_code
from hansgym.agents._torch_draws import no_draws
from hansgym.agents._weights import read_json
from hansgym.errors import ConfigurationError, HansGymError, MissingExtraError
from hansgym.lookup import require

EXTRA = "lerobot"
CONFIG, WEIGHTS = "config.json", "model.safetensors"
PROCESSORS = ("policy_preprocessor.json", "policy_postprocessor.json")
WANTED = ("*.json", "model.safetensors", "policy_*.safetensors")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True)
class Checkpoint:
    """A policy in evaluation mode on its device, with its processors.

    ``features``: input as it is to be given -> LeRobot's description of it; the first processor renames some.
    ``width``: how many numbers an action has after the last one. ``details`` are kept in results.
    """

    folder: Path
    config: Any
    policy: Any
    before: Any
    after: Any
    features: Mapping[str, Any]
    width: int
    details: Mapping[str, Any]


def find(where: str) -> Path:
    """The folder of the checkpoint ``where``: a folder, one of ``lerobot-train``, or a repository of the hub."""
    folder = Path(where).expanduser()
    if folder.is_dir():
        inner = folder / "pretrained_model"
        return inner if not (folder / CONFIG).is_file() and inner.is_dir() else folder
    if folder.exists() or not _REPOSITORY.fullmatch(where):
        raise ConfigurationError(
            f"no folder {where!r} with a LeRobot checkpoint; give one that holds {CONFIG} and {WEIGHTS}, "
            "or a repository of the Hugging Face hub as owner/name"
        )
    name, _, revision = where.partition("@")
    hub = require("huggingface_hub", EXTRA)
    try:
        return Path(hub.snapshot_download(name, revision=revision or None, allow_patterns=list(WANTED)))
    except Exception as error:  # the hub's errors are of many kinds, and all mean that there is no such checkpoint
        reason = str(error).strip().splitlines()[0][:200]
        raise ConfigurationError(
            f"there is no folder {where!r} here, and the hub gave no repository of that name "
            f"({type(error).__name__}: {reason}); give the folder of a checkpoint, or owner/name"
        ) from None


def check_files(folder: Path) -> dict[str, Any]:
    """``config.json`` of the checkpoint in ``folder``, whose files are there and ask for nothing strange."""
    if (folder / "adapter_config.json").is_file():
        raise ConfigurationError(
            f"{folder} holds an adapter (adapter_config.json), not a whole policy; "
            "use a checkpoint that it is merged into"
        )
    missing = [name for name in (CONFIG, WEIGHTS, *PROCESSORS) if not (folder / name).is_file()]
    if missing:
        there = sorted(p.name for p in folder.iterdir())[:12]
        raise ConfigurationError(
            f"{folder} is no LeRobot checkpoint: it lacks {', '.join(missing)} and holds "
            f"{', '.join(there) or 'nothing'}; give a whole one. {_advice(missing)}"
        )
    config = read_json(folder / CONFIG)
    if not isinstance(config.get("type"), str):
        raise ConfigurationError(f"{folder / CONFIG} names no policy type; use a checkpoint saved by LeRobot")
    for name in PROCESSORS:
        _check_steps(folder / name)
    return config


def _advice(missing: list[str]) -> str:
    if WEIGHTS in missing:
        return "Weights in other formats are not loaded (pickles run code): save the policy with LeRobot"
    if CONFIG in missing:
        return "Give the folder pretrained_model of a training run"
    return "Bring an old checkpoint up to date with LeRobot's migrate_policy_normalization"


def _check_steps(path: Path) -> None:
    """Only steps that LeRobot registers by name, or classes of its own, may be built from a file."""
    steps = read_json(path).get("steps")
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps):
        raise ConfigurationError(f"{path} lists no steps; use a checkpoint saved by LeRobot 0.4 or newer")
    for step in steps:
        named = step.get("registry_name", step.get("class"))
        if not isinstance(named, str) or ("registry_name" not in step and not _own_step(named)):
            raise ConfigurationError(
                f"{path} asks for the processor {named!r}, which is not LeRobot's own and is not run; "
                "save the policy with processors that LeRobot registers"
            )
        state = step.get("state_file", "")
        if not isinstance(state, str) or Path(state).name != state or (state and not state.endswith(".safetensors")):
            raise ConfigurationError(f"{path} reads {state!r}; a state file must be a .safetensors file beside it")
        if state and not (path.parent / state).is_file():
            raise ConfigurationError(f"{path} reads {state!r}, which is missing; give a whole checkpoint")


def _own_step(named: str) -> bool:
    """Whether ``named`` is a processor of LeRobot's: of a path, LeRobot calls whatever it finds there."""
    module, _, name = named.rpartition(".")
    if not module.startswith("lerobot."):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:  # LeRobot cannot run it either, and says why
        return True
    return isinstance(found, type) and issubclass(found, require("lerobot.processor", EXTRA).ProcessorStep)


def load(where: str, device: str, tokenizer: str | None = None, base: str | None = None) -> Checkpoint:
    """The checkpoint ``where`` on ``device``; raises :class:`ConfigurationError` for one that is not what it says.

    ``tokenizer`` and ``base``: folders or repositories to take the tokenizer, and the model that the policy was made
    from, instead of those named in the checkpoint.
    """
    factory = require("lerobot.policies.factory", EXTRA)
    configs = require("lerobot.configs.policies", EXTRA)
    folder = find(where)
    kind = check_files(folder)["type"]
    kinds.refuse(kind)
    before_steps, after_steps = (read_json(folder / name)["steps"] for name in PROCESSORS)
    files = sorted({WEIGHTS, CONFIG, *(p.name for p in folder.glob("policy_*"))})
    with ThreadPoolExecutor(1) as beside, _talk_elsewhere(), reasons(folder, kind), no_foreign_code():
        digests = beside.submit(lambda: {name: _sha256(folder / name) for name in files})
        config = configs.PreTrainedConfig.from_pretrained(folder)
        kinds.prepare(config, folder, device, tokenizer, base)
        policy = _built(factory.get_policy_class(config.type), folder, config)
        before, after = factory.make_pre_post_processors(
            config, pretrained_path=str(folder), **kinds.overrides(config, before_steps, device, tokenizer)
        )
    policy = policy.to(device).eval()
    compare(policy, folder / WEIGHTS)
    details = {
        "policy": config.type,
        "lerobot": metadata.version("lerobot"),
        "sha256": digests.result(),
    }
    after, features = kinds.After(after, after_steps), _features(before_steps, config)
    return Checkpoint(folder, config, policy, before, after, features, kinds.width(config, after_steps), details)


def _built(cls: Any, folder: Path, config: Any) -> Any:
    """The policy, put together where it will work, without drawing weights that those of the file replace.

    For billions of numbers both take minutes; :func:`compare` finds whatever the file did not replace.
    """
    torch = require("torch", EXTRA)
    with no_draws(), kinds.bare_groot():
        if not str(config.device).startswith("cpu"):
            # Some policies work out tables on the host, and mix them with what they make here.
            with contextlib.suppress(RuntimeError, TypeError), torch.device(config.device):
                return cls.from_pretrained(folder, config=config)
        return cls.from_pretrained(folder, config=config)


def _features(steps: Sequence[Mapping[str, Any]], config: Any) -> dict[str, Any]:
    """The inputs under the names that the checkpoint was trained with, before its own processor renames them."""
    maps = [s["config"].get("rename_map") or {} for s in steps if isinstance(s.get("config"), dict)]
    renamed = {str(old): str(new) for names in maps for old, new in dict(names).items()}
    given = {new: old for old, new in renamed.items()}
    return {given.get(key, key): feature for key, feature in config.input_features.items()}


@contextlib.contextmanager
def _talk_elsewhere() -> Iterator[None]:
    """What LeRobot prints goes to standard error: standard output is for results."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def reasons(folder: Path, kind: str, does: str = "make") -> Iterator[None]:
    """Inside, where it ``does`` so to a policy, whatever LeRobot raises becomes an error that says what to do."""
    try:
        yield
    except (HansGymError, KeyboardInterrupt):
        raise
    except BaseException as error:  # parsers exit, models raise what they like
        whole = _chain(error)
        ours = next((e for e in whole if isinstance(e, HansGymError)), None)
        if ours is not None:
            raise ours from error
        if any(isinstance(e, ImportError) for e in whole):
            raise MissingExtraError(
                f"a {kind!r} policy needs a package that is not installed ({error}). "
                f"Install it with: pip install 'hansgym[lerobot]' 'lerobot[{kinds.EXTRAS.get(kind, kind)}]'"
            ) from error
        reason = f"{type(error).__name__}: {str(error).strip()[:600]}"
        raise ConfigurationError(
            f"LeRobot {metadata.version('lerobot')} cannot {does} the {kind!r} policy of {folder} ({reason}); "
            "use a checkpoint of this version, with the files as LeRobot saved them, and give tokenizer=<folder> and "
            "base=<folder> where its tokenizer, or the model it was made from, cannot be downloaded"
        ) from error


def _chain(error: BaseException) -> list[BaseException]:
    """``error`` and what it was raised from."""
    found: list[BaseException] = [error]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found


def compare(policy: Any, path: Path) -> None:
    """Raise :class:`ConfigurationError` unless the tensors of ``policy`` are those of the file, all of them."""
    torch, safetensors = require("torch", EXTRA), require("safetensors", EXTRA)
    own = policy.state_dict()
    other, known = [], set()
    with safetensors.safe_open(str(path), "pt", device="cpu") as file:
        # As LeRobot loads: where two tensors of the file have one name in the policy, the later wins.
        source = {key: name for name in file.keys() for key in _names(policy, name, torch.empty(0))}  # noqa: SIM118
        strange = [name for key, name in source.items() if key not in own]
        for key in source.keys() & own.keys():
            mine, tensor = own[key], file.get_tensor(source[key])
            if mine.shape != tensor.shape or not torch.equal(mine, tensor.to(mine.device).to(mine.dtype)):
                other.append(source[key])
            else:
                known |= {mine.data_ptr(), key}
    lost = [k for k, t in own.items() if k not in known and t.numel() and not _tied(t, own, known)]
    wrong = {"not in the policy": strange, "with other values in the policy": other, "not in the file": lost}
    said = [f"{len(v)} {k} ({', '.join(sorted(v)[:3])})" for k, v in wrong.items() if v]
    if said:
        raise ConfigurationError(
            f"{path} is not the weights of this policy: of its tensors and the policy's, {'; '.join(said)}. "
            "The policy would act with random numbers: use the files as LeRobot saved them"
        )


def _tied(tensor: Any, own: Mapping[str, Any], known: set[Any]) -> bool:
    """Whether ``tensor`` was saved under another name: shared memory, or equal and not merely constant."""
    if tensor.data_ptr() in known:
        return True
    if bool((tensor == tensor.flatten()[0]).all()):
        return False
    same = (own[k] for k in known if isinstance(k, str) and own[k].shape == tensor.shape)
    return any(bool((other == tensor).all()) for other in same)


def _names(policy: Any, name: str, tensor: Any) -> list[str]:
    """What LeRobot calls the file's tensor ``name``: openpi's names are translated, and lack a prefix."""
    translate = getattr(policy, "_fix_pytorch_state_dict_keys", None)
    if translate is None:
        return [name]
    with _talk_elsewhere():
        found = translate({name: tensor}, policy.model.config)
    return [k if k.startswith("model.") else f"model.{k}" for k in found]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
