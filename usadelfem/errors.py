"""The exceptions that the package raises on purpose."""


class MeshError(ValueError):
    """A mesh file or a mesh cannot be used: unreadable, without named regions, of an unsupported cell type."""


class DeviceError(ValueError):
    """The description of a device is inconsistent: unknown names, missing materials, values out of range."""


class ObservableError(ValueError):
    """An observable was asked for something it does not have: a flux of a density, an unknown facet set or region."""
