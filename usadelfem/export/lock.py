"""A lock that one process holds on a file, and that ends with the process however it ends."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from ..errors import warn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_held: set[Path] = set()
_guard = threading.Lock()


class FileLock:
    """A lock of this process, kept in a file that says who holds it; the operating system ends it with the process.

    It is a record lock, which a forked worker does not inherit: workers that outlive the main process do not hold it.
    Within a process, where record locks do not exclude each other, a set of names does.

    Parameters
    ----------
    path
        The lock file, which is removed on release.

    Raises
    ------
    BlockingIOError
        If somebody else holds it; the message says who.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        with _guard:
            if self.path in _held:
                raise BlockingIOError("another thread of this process")
            _held.add(self.path)
        try:
            self._handle = self._acquire()
        except BaseException:
            _held.discard(self.path)
            raise

    def release(self) -> None:
        """Remove the file and give the lock back."""
        if sys.platform != "win32":  # an open file cannot be removed there
            self.path.unlink(missing_ok=True)
        os.close(self._handle)
        if sys.platform == "win32":
            self.path.unlink(missing_ok=True)
        _held.discard(self.path)

    def _acquire(self) -> int:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(handle)
            except OSError as error:
                owner = self.path.read_text(errors="replace").strip() if error.errno in _BUSY else ""
                os.close(handle)
                if error.errno in _BUSY:
                    raise BlockingIOError(owner or "another process") from error
                warn(
                    f"{self.path.parent} is on a file system without locks ({error}): see to it that only one process "
                    f"writes {self.path.stem}"
                )
                return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            if self._is_ours(handle):
                with suppress(OSError):  # on a full disk it holds, but does not say for whom
                    os.ftruncate(handle, 0)
                    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
                return handle
            os.close(handle)  # its owner has just removed it

    def _is_ours(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
