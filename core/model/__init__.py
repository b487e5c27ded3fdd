"""The vocabulary: frozen values that all packages share. They make no decisions, read no clock and do no I/O."""
