"""Files and folders that appear whole or not at all, also when the process is killed or the machine loses power."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .source import ExportError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


@contextmanager
def whole_file(destination: Path) -> Iterator[Path]:
    """Give a path to write to; the file takes the destination's place when the block ends without an error.

    A reader has the old file or the new one, never a part: the new one is made beside it, flushed to the disk, renamed.
    A link stays, and the file that it leads to is replaced.
    """
    if destination.is_dir():
        raise ExportError(f"{destination}: a folder; name a file")
    if destination.exists() and not destination.is_file():
        # A pipe or a device would be gone, and nobody at its other end would have got anything.
        raise ExportError(f"{destination}: no regular file; for standard output use - with --to jsonl")
    target = _target(destination)
    with _workplace(destination, target) as place:
        made = place / "file"
        yield made
        _flush(made)
        os.replace(made, target)
        _flush(target.parent)


@contextmanager
def whole_folder(destination: Path, refuse: Callable[[Path], str | None]) -> Iterator[Path]:
    """Give a new folder to fill; it takes the destination's place when the block ends without an error.

    `refuse` is asked about a folder that is there already and not empty; it returns why it must not be replaced, or
    None. A link stays, and the folder that it leads to is replaced. On Linux the two folders change places in one step;
    elsewhere there is none for a moment between two renames.
    """
    if destination.exists() and not destination.is_dir():
        raise ExportError(f"{destination}: a file; this target writes a folder")
    if destination.name in ("", ".."):
        raise ExportError(f"{destination}: can't be replaced while you stand in it; name a new folder")
    if destination.is_dir() and any(destination.iterdir()) and (reason := refuse(destination)):
        raise ExportError(f"{destination}: {reason}")
    target = _target(destination)
    with _workplace(destination, target) as place:
        made = place / "folder"
        made.mkdir()
        yield made
        # What lies deeper, a report's articles, is left to the system: flushing thousands of files would take minutes.
        for path in made.iterdir():
            _flush(path)
        _flush(made)
        if not target.exists():
            os.rename(made, target)
        elif not _exchange(made, target):
            os.rename(target, place / "old")
            os.rename(made, target)
        _flush(target.parent)


def refuse_database_in_use(destination: Path, *suffixes: str) -> None:
    """Raise `ExportError` where a database has a log of changes beside it, which would be applied to the new file."""
    target = _target(destination)
    for suffix in suffixes:
        if Path(f"{target}{suffix}").exists():
            raise ExportError(f"{destination}: a database in use ({target.name}{suffix} is beside it)")


def _target(destination: Path) -> Path:
    """Return what a link leads to, or else the destination as it is: a link must not be replaced by what is made."""
    return Path(os.path.realpath(destination)) if destination.is_symlink() else destination


@contextmanager
def _workplace(destination: Path, target: Path) -> Iterator[Path]:
    """Give a folder beside the target, on its file system; gone afterwards, as are those of killed exports."""
    parent = target.parent
    if not parent.is_dir():
        raise ExportError(f"{destination}: there is no folder {parent}")
    prefix = f".{target.name}."
    for left in parent.glob(f"{_escaped(prefix)}*.partial"):
        _sweep(left)
    place = parent / f"{prefix}{secrets.token_hex(4)}.partial"
    try:
        place.mkdir()
    except OSError as error:
        raise ExportError(f"{destination}: {(error.strerror or str(error)).lower()}") from None
    # The lock tells other exports that this one is alive; the system lets go of it when the process ends.
    lock = _lock(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _lock(place: Path) -> int | None:
    """Return a descriptor that holds a lock on a folder, or None where somebody else holds it or there are no locks."""
    if fcntl is None:
        return None
    try:
        opened = os.open(place, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened


def _sweep(left: Path) -> None:
    lock = _lock(left)
    if lock is not None:
        shutil.rmtree(left, ignore_errors=True)
        os.close(lock)


def _flush(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step where the system can; return whether it did."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return bool(rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0)
