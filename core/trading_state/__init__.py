"""The engine's state: slices that fold facts, sightings outside the facts, and checkpoints."""
