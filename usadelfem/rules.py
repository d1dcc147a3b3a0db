"""What values a coefficient may take."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rule:
    """What values a coefficient may take: shape at one point, number type, range and symmetry.

    `dimension` is the physical one, a key of `device.units.DIMENSIONS`, of which the unit of its numbers follows. An
    entry "dim" of the shape is the dimension of the mesh. An optional coefficient may be None, which means zero. A
    single number stands for equal components of an isotropic one.
    """

    dimension: str
    shape: tuple[int | str, ...] = ()
    complex: bool = False
    positive: bool = False
    non_negative: bool = False
    infinite: bool = False
    optional: bool = False
    antisymmetric: bool = False
    isotropic: bool = False
    limit: float | None = None  # largest modulus
    direction: bool = False  # a vector that may not vanish

    def shape_in(self, dim: int) -> tuple[int, ...]:
        """Shape of the value at one point of a mesh of dimension `dim`."""
        return tuple(dim if isinstance(size, str) else size for size in self.shape)

    def of(self, components: tuple[int, ...]) -> Rule:
        """The rule for values with these leading axes: that of a number, where it stands for equal components."""
        return self if not self.isotropic or self.fits(components) else replace(self, shape=(), isotropic=False)

    def fits(self, components: tuple[int, ...]) -> bool:
        """Whether the leading axes of an array are those of a value on a mesh of some dimension."""
        return any(components == self.shape_in(dim) for dim in (1, 2, 3))

    def describe(self) -> str:
        """The allowed values in words."""
        kind = "complex" if self.complex else "real"
        sizes = " x ".join(map(str, self.shape))
        several = f" (or {sizes} of them)" if self.isotropic else ""
        kind = f"{sizes} {kind} components" if self.shape and not several else f"a {kind} number"
        if self.antisymmetric:
            kind += ", antisymmetric in the first two indices"
        limit = " > 0" if self.positive else " >= 0" if self.non_negative else ""
        if self.limit is not None:
            limit = f" between -{self.limit:g} and {self.limit:g}"
        if self.direction:
            kind += ", not all zero"
        return f"{kind}{limit}{several}, {'infinity allowed' if self.infinite else 'finite'}"
