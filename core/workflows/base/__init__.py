"""What a workflow declares, when it is due, and how what follows from a fact is run."""
