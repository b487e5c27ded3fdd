"""Our books compared with the broker's."""
