"""The log of the engine's service: JSON lines beside the journal, for people and their tools. Nothing rests on it."""
