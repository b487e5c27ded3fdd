"""The engine: what happened, what it means, and what to ask of the world. No screen, no disk, no wall clock."""
