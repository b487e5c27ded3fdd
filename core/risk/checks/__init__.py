"""The checks of the gate, by family; `core/risk/standard_gate.py` has their order."""
