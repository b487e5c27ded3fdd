"""What may be opened, and how much of it. Checks and protections guard entries; on exits they warn (RK-22)."""
