"""Parameter sweeps: the space of settings, results, their statistics. Pure figures: no process, no file (AN-05)."""
