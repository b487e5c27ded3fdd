"""Many orders under one key: drafted, dry-run, signed, executed in order."""
