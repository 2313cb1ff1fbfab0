"""Source systems that do not exist here: deterministic extracts at any scale, planted faults, ground truth beside them."""

from simulator.simulate import SimulationReport, simulate

__all__ = ["SimulationReport", "simulate"]
