"""Writes the committed weights anew from the world that they are learned on: `python -m benchmarks.train_identity`.

A warehouse with customers of its own learns from those instead: `c360 identity train`.
"""

from __future__ import annotations

from datetime import date

from identity.rules import load_rules
from identity.standardise import standardise
from identity.training import train
from simulator.population import Population

SEED, SCALE, DAY = 4711, 0.2, date(2026, 11, 3)

if __name__ == "__main__":
    for path in train(standardise(Population(SEED, SCALE).customers(DAY), load_rules()), progress=print):
        print(path)
