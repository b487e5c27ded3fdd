"""The log of the engine's service: JSON lines beside the journal, for people and tools. Nothing depends on it."""
