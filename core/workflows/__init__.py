"""What the desk does with each input: one workflow a file, read top-down. Facts are recorded, effects are yielded."""
