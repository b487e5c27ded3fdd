"""How a running engine is, over HTTP on this machine: off unless the settings name where it listens."""
