"""Great Expectations at the two edges: what was loaded (raw) and what is served (marts)."""
