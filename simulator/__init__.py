"""Source systems that do not exist here: deterministic, coherent extracts with planted faults and ground truth."""
