"""Published numbers of metals and magnetic insulators with their sources, and films made of them."""
