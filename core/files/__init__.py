"""Read the operator's files completely; faults are reported with their place."""
