"""What the engine knows: slices that fold facts, sightings that no fact holds, checkpoints."""
