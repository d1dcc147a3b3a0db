"""Whether a result can be trusted: resolution, units, causality, phase slips, cut-offs."""
