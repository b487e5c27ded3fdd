"""What touches the machine: its clock, time-limited requests, and keys taken out of text. Adapters alone use it."""
