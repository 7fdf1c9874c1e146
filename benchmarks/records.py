"""The run directory: one JSON header, one flushed line per finished episode, and what is kept beside them.

A run may be killed at any instant. A line counts only when it is whole and ends with a newline; everything that a
line speaks of is on disk before the line is.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hansgym.benchmarks.config import differences, hash_of
from hansgym.errors import ConfigurationError

RUN_FILE = "run.json"
EPISODES_FILE = "episodes.jsonl"
LOCK_FILE = "lock"
ERRORS_FILE = "errors.log"
Record = dict[str, Any]


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: arrays become lists, numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(v) for v in value), key=str)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def write_atomically(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read_run(run_dir: Path) -> dict[str, Any]:
    """The header ``run.json`` of a run directory; a missing or foreign one raises."""
    path = Path(run_dir) / RUN_FILE
    if not path.is_file():
        raise ConfigurationError(
            f"{run_dir} is not a run directory: it has no {RUN_FILE}. Give a folder that `hansgym evaluate --out` wrote"
        )
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        header["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not a run header ({error}); give another folder") from None
    return header


def read_records(run_dir: Path) -> list[Record]:
    """The finished episodes of a run, in the order in which they finished; the folder is not changed."""
    return _parse(Path(run_dir) / EPISODES_FILE)[0]


def _parse(path: Path) -> tuple[list[Record], int]:
    """Whole records of a file, and how many bytes they take; an unfinished tail is left out."""
    if not path.is_file():
        return [], 0
    data = path.read_bytes()
    records: list[Record] = []
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        try:
            record = json.loads(data[position:end])
            if not isinstance(record, dict):
                raise ValueError("a line must hold one JSON object")
        except ValueError as error:
            if data[end + 1 :].strip(b"\n\0"):
                raise ConfigurationError(
                    f"{path}, line {len(records) + 1} cannot be read ({error}) though lines follow it: the file was "
                    "changed by something else. Repair or remove that line"
                ) from None
            break
        records.append(record)
        position = end + 1
    return records, position


class RunDirectory:
    """A run directory opened for writing, by one process at a time. Use it as a context manager.

    ``header`` is what ``run.json`` holds; its ``config`` must equal that of the run already there. ``records`` are
    the episodes finished before, ``done`` their keys.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.header = plain(dict(header))
        self.records: list[Record] = []
        self._lock: int | None = None

    def __enter__(self) -> RunDirectory:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path / LOCK_FILE)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written ({error}); choose another --out") from None
        try:
            self._adopt_header()
            self.records, size = _parse(self.path / EPISODES_FILE)
            self._file = (self.path / EPISODES_FILE).open("ab")
            self._file.truncate(size)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._release()

    @property
    def done(self) -> set[tuple[str, int, int]]:
        """Keys (task, seed, trial) of the episodes on disk."""
        return {(r["task"], r["seed"], r["trial"]) for r in self.records}

    def append(self, record: Mapping[str, Any]) -> Record:
        """Write one finished episode; it is on disk when this returns."""
        entry = plain(record)
        line = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.records.append(entry)
        return entry

    def describe(self, name: str, value: Any) -> None:
        """Add ``name`` to the header if it is not there: what is known only when the first episode has run."""
        if name not in self.header:
            self.header[name] = plain(value)
            self._write_header()

    def log(self, text: str) -> None:
        """Add to ``errors.log``, where the traces behind the reasons are."""
        with (self.path / ERRORS_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def save_arrays(self, stem: str, arrays: Mapping[str, np.ndarray]) -> Path:
        """Write ``attributions/<stem>.npz`` whole or not at all."""
        import io

        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        path = self.path / "attributions" / f"{stem}.npz"
        write_atomically(path, buffer.getvalue())
        return path

    def _adopt_header(self) -> None:
        path = self.path / RUN_FILE
        if not path.exists():
            if (self.path / EPISODES_FILE).exists():
                raise ConfigurationError(f"{self.path} holds episodes but no {RUN_FILE}; choose another --out")
            self.header["config_hash"] = hash_of(self.header["config"])
            self._write_header()
            return
        found = read_run(self.path)
        changed = differences(found["config"], self.header["config"])
        if changed:
            raise ConfigurationError(
                f"{self.path} holds a run with another configuration ({'; '.join(changed)}). "
                "Choose another --out, or give the settings that are there to resume it"
            )
        self.header = found

    def _write_header(self) -> None:
        text = json.dumps(self.header, indent=2, allow_nan=False)
        write_atomically(self.path / RUN_FILE, text.encode() + b"\n")

    def _release(self) -> None:
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):
                (self.path / LOCK_FILE).unlink()
            os.close(self._lock)
            self._lock = None


def _lock(path: Path) -> int:
    """Take the lock of a run directory: the kernel drops it with the process, so one left by a kill is no obstacle."""
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(handle, 32, 0).decode("ascii", "ignore").strip()
            if error.errno in (errno.EAGAIN, errno.EACCES):
                os.close(handle)
                if _is_gone(owner):  # held by a child that the killed run had forked
                    path.unlink(missing_ok=True)
                    continue
                raise ConfigurationError(
                    f"{path.parent} is being written by process {owner or 'unknown'}. "
                    "Wait for it to end, or choose another --out"
                ) from None
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # a file system without locks: go on without
                os.close(handle)
                raise
        try:
            same = os.fstat(handle).st_ino == path.stat().st_ino
        except FileNotFoundError:
            same = False
        if same:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
            return handle
        os.close(handle)  # its owner removed it between our two calls


def _is_gone(owner: str) -> bool:
    """Whether the process with number ``owner`` has ended."""
    if not owner.isdigit():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
