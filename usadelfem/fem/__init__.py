"""From a device to residual and tangent: discretisation, coefficients at quadrature points, assembly."""
