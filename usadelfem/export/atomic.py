"""Files that appear when they are complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[str]:
    """The name of a temporary file that becomes the target when all went well, and is removed otherwise."""
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    try:
        yield name
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp makes files that only their owner can read
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def require_folder(target: Path, what: str) -> None:
    """Refuse a file whose folder does not exist: FileNotFoundError, which begins with `what`."""
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{what}: there is no folder {str(target.parent)!r}; create it")
