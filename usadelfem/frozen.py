"""Read-only records and mappings that stay so when they are pickled and sent to another process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

K = TypeVar("K")
V = TypeVar("V")


class FrozenMapping(Mapping[K, V]):
    """A mapping that cannot be changed. Unlike `types.MappingProxyType` it can be pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __or__(self, other: Mapping[K, V]) -> dict[K, V]:
        return {**self._items, **other}

    def __repr__(self) -> str:
        return repr(self._items)


class FrozenRecord:
    """Base of records whose arrays are read-only: copying and unpickling, which may drop the flag, set it again."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        freeze(state)
        vars(self).update(state)


def freeze(value: Any) -> None:
    """Make arrays read-only, also those in tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple | list):
        for entry in value:
            freeze(entry)
    elif isinstance(value, dict | FrozenMapping):
        for entry in value.values():
            freeze(entry)
