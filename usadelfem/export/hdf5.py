"""HDF5 files that do not lie: every item carries a checksum, and nothing is read before it is looked at.

The structure is written in the latest format of HDF5, which has checksums of its own for all that is not data; an item
adds one for its attributes, its data and its members. Reading therefore ends in the numbers that were written, or in a
FileError: no pointer of a damaged file is followed, no link, no data in other files, and no size is believed that the
file cannot hold.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from ..checks import no_file
from ..errors import FileError

_HEAD = b"\x89HDF\r\n\x1a\n\x03"  # signature, and the version with checksums
_FILTERS = {1: 1100, 2: 1}  # H5Z_FILTER_DEFLATE and H5Z_FILTER_SHUFFLE: largest ratio of sizes
_SEAL = "checksum"


@contextmanager
def image() -> Iterator[tuple[Any, BytesIO]]:
    """A new file in memory, and its bytes, which are complete at the end.

    HDF5 does not survive a failing disk: it is not given one.
    """
    import h5py

    data = BytesIO()
    with h5py.File(data, "w", libver="latest") as file:
        yield file, data


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file to read.

    Raises
    ------
    FileError
        If it is damaged or foreign, a folder or a pipe, or reading it fails in any way.
    FileNotFoundError, PermissionError
        If there is no such file, or it may not be read.
    """
    import h5py

    reason = no_file(path)
    if reason:
        raise FileError(f"cannot read {str(path)!r}: {reason}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    with path.open("rb") as raw:
        head = raw.read(len(_HEAD))
    if head[:8] != _HEAD[:8]:
        raise damaged(path, "it is no HDF5 file")
    if head != _HEAD:
        raise damaged(path, "it holds no result of usadelfem, it was not written by usadelfem.save or usadelfem.sweep")
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (FileError, Warning, MemoryError):
        raise
    except Exception as error:  # HDF5, NumPy and what is built of the values may stumble over anything
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def damaged(path: Path, reason: str) -> FileError:
    """The error for a file that cannot be trusted."""
    return FileError(f"file {path} is damaged: {reason}")


def _refuse(item: Any, reason: str) -> FileError:
    return damaged(Path(_text(item.file.filename)), f"{_text(item.name)} {reason}")


def quote(text: str, extra: str = "") -> str:
    """Text without NUL and lone surrogates, which files do not hold, and without the characters of `extra`."""
    marked = f"[%\0\ud800-\udfff{re.escape(extra)}]"
    return re.sub(marked, lambda m: "".join(f"%{b:02X}" for b in m[0].encode("utf-8", "surrogatepass")), text)


def original(text: str) -> str:
    """What was quoted."""
    return unquote(text, errors="surrogatepass")


def link_name(text: str) -> str:
    """The name of an item that stands for any text but the empty one: slashes and dots mean something to HDF5."""
    return quote(text, "/." if set(text) <= {"."} else "/")


def set_text(item: Any, name: str, text: str) -> None:
    """Set an attribute to any text."""
    import h5py

    data = quote(text).encode()
    item.attrs.create(name, data, dtype=h5py.string_dtype("utf-8", max(1, len(data))))


def attribute(item: Any, name: str, default: Any = None) -> Any:
    """The value of an attribute: a text, a number or an array."""
    import h5py

    if name not in item.attrs:
        return default
    size = h5py.h5a.open(item.id, name.encode()).get_storage_size()
    if size > item.file.id.get_filesize():
        raise _refuse(item, f"claims an attribute of {size} bytes, more than there are")
    value = item.attrs[name]
    return original(_text(value)) if isinstance(value, bytes | str) else value


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def member(group: Any, name: str) -> Any:
    """An item of a group, that lies in the file and nowhere else.

    Raises
    ------
    FileError
        If it is missing, or a link to somewhere else.
    """
    import h5py

    if name not in group.keys():  # noqa: SIM118 - `in group` follows links
        raise _refuse(group, f"has no {name!r}")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise _refuse(group, f"has a link {name!r}; links are not followed")
    return group[name]


def members(group: Any) -> dict[str, Any]:
    """All items of a group."""
    return {_text(name): member(group, name) for name in group.keys()}  # noqa: SIM118


def read_array(dataset: Any) -> NDArray[Any]:
    """The data of an array, after a look at what the file says about it.

    Raises
    ------
    FileError
        If it is no array of numbers or text, lies outside the file, or claims to be larger than it can be.
    """
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise _refuse(dataset, "is no array")
    plan = dataset.id.get_create_plist()
    if plan.get_external_count() or dataset.is_virtual:
        raise _refuse(dataset, "lies in another file; that is not followed")
    filters = {plan.get_filter(k)[0] for k in range(plan.get_nfilters())}
    if dataset.dtype.kind not in "biufcS" or not filters <= _FILTERS.keys():
        raise _refuse(dataset, "is of a kind that usadelfem does not write")
    stored, size = dataset.id.get_storage_size(), math.prod(dataset.shape) * dataset.dtype.itemsize
    chunk = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
    largest = stored * math.prod(_FILTERS[name] for name in filters)
    if stored > dataset.file.id.get_filesize() or max(size, chunk) > largest or chunk > size:
        raise _refuse(dataset, f"claims {size} bytes, of which the file holds {stored}")
    return np.asarray(dataset[()])


def seal(item: Any, data: NDArray[Any] | None = None) -> None:
    """Give an item its checksum: of attributes and data, or of the seals of all members of a group."""
    item.attrs[_SEAL] = np.uint64(_checksum(item, data))


def verify(item: Any, data: NDArray[Any] | None = None) -> None:
    """Raise FileError unless an item is as it was sealed."""
    found = attribute(item, _SEAL)
    if found is None:
        raise _refuse(item, "has no checksum")
    if np.shape(found) or int(found) != _checksum(item, data):
        raise _refuse(item, "does not fit its checksum")


def _checksum(item: Any, data: NDArray[Any] | None) -> int:
    import h5py

    sha = hashlib.blake2b(digest_size=8)
    for name in sorted(item.attrs):
        if name != _SEAL:
            sha.update(_described(name, attribute(item, name)))
    if isinstance(item, h5py.Dataset):
        if data is None:  # which changes
            sha.update(f"{item.dtype.str} {item.shape}".encode())
        else:
            sha.update(_described("data", data))
    else:
        for name, inner in sorted(members(item).items()):
            sha.update(_described(name, attribute(inner, _SEAL, 0)))
    return int.from_bytes(sha.digest(), "little")


def _described(name: str, value: Any) -> bytes:
    array = np.asarray(value)
    head = f"{name} {array.dtype.str} {array.shape} ".encode("utf-8", "surrogatepass")
    return head + np.ascontiguousarray(array).tobytes()


def write_texts(group: Any, name: str, texts: list[str]) -> None:
    """Add a list of texts as an array of bytes that any reader shows as text, and seal it."""
    data = np.array([quote(text).encode() for text in texts] or [b""], "S")[: len(texts)]
    seal(group.create_dataset(name, data=data), data)


def read_texts(dataset: Any) -> list[str]:
    """A list of texts."""
    data = read_array(dataset)
    verify(dataset, data)
    return [original(item.decode()) for item in data.tolist()]
