"""What the operator sees and types. It reaches the engine through one door, `console.handle`, and nowhere else."""
