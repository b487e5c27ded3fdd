"""The engine's side of its socket: who comes, what a desk is shown, and what it may say."""
