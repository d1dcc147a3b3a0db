"""Files that appear when they are complete."""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..checks import shown

_HOST = re.sub(r"[^\w.]", "_", socket.gethostname())[:60]


@contextmanager
def replacing(target: Path, owner: Path | None = None) -> Iterator[str]:
    """The name of a temporary file that becomes the target when all went well, and is removed otherwise.

    The owner is the file that the user has named, if the target is a part of it.

    Raises
    ------
    OSError
        If the file cannot be written: it names the file and the folder, in which nothing has changed.
    """
    target = target.resolve()  # a link stays one
    with naming(owner or target):
        _remove_abandoned(target.parent)
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "the file, or the disk, is read-only")
        handle, name = tempfile.mkstemp(prefix=f".{_HOST}-{os.getpid()}-", suffix=".part", dir=target.parent)
        try:
            yield name
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)  # mkstemp makes files that only their owner can read
            os.fsync(handle)
            os.close(handle)
            handle = -1
            os.replace(name, target)
        except BaseException:
            if handle >= 0:
                os.close(handle)
            Path(name).unlink(missing_ok=True)
            raise


def write_whole(target: Path, data: bytes | memoryview, owner: Path | None = None) -> None:
    """Write a file in one go; arguments and OSError as of `replacing`."""
    with replacing(target, owner) as name, open(name, "wb") as file:
        file.write(data)


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Errors of the operating system with the names of file and folder."""
    try:
        yield
    except BlockingIOError:  # a lock of somebody else
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno or 0,
            f"cannot write {target.name!r} in the folder {str(target.parent)!r} ({reason}): what was there is kept; "
            "make room or give another folder",
        ) from error


def check_target(target: Path, what: str) -> None:
    """Refuse what cannot be written: a name that is none, a link without end, or a folder that does not exist.

    Raises
    ------
    ValueError
        If the name holds a character that no file name may hold, or is a link that leads back to itself; all errors
        begin with `what`.
    NotADirectoryError, IsADirectoryError
        If what should be a folder is a file, or the other way round.
    FileNotFoundError
        If the folder does not exist.
    """
    try:
        legal = b"\0" not in os.fsencode(target)
    except UnicodeEncodeError:
        legal = False
    if not legal:
        raise ValueError(f"{what}: {str(target)!r} is no file name; allowed are names without NUL and lone surrogates")
    if _is_endless(target):
        raise ValueError(f"{what}: {str(target)!r} is a link that leads back to itself; remove it or give another name")
    for folder in target.parents:
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise NotADirectoryError(f"{what}: {str(folder)!r} is a file, not a folder; give a folder")
    if os.path.isdir(target):
        raise IsADirectoryError(f"{what}: {str(target)!r} is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{what}: there is no folder {str(target.parent)!r}; create it")


def _is_endless(target: Path) -> bool:
    try:
        os.stat(target)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def as_path(path: str | os.PathLike[str], what: str) -> Path:
    """A path as such; TypeError, which begins with `what`, for anything else."""
    try:
        return Path(path)
    except TypeError as error:
        raise TypeError(f"{what} is {shown(path)}; allowed is a file name, a str or a Path") from error


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files of processes of this machine that were killed."""
    if sys.platform == "win32":  # where a process cannot be asked whether it is there
        return
    for file in folder.glob(f".{_HOST}-*-*.part"):
        owner = file.name[len(_HOST) + 2 :].split("-")[0]
        if owner.isdigit():
            try:
                os.kill(int(owner), 0)
            except ProcessLookupError:
                with suppress(OSError):
                    file.unlink()
            except OSError:  # of another user
                continue
