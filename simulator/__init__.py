"""Source systems that do not exist here: deterministic extracts at any scale, with faults and ground truth."""

from simulator.simulate import SimulationReport, simulate

__all__ = ["SimulationReport", "simulate"]
