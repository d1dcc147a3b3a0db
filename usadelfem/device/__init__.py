"""What the user describes: mesh, materials, contacts; frozen records without numerics."""
