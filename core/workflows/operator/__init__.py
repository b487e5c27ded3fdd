"""What the operator does to the whole desk: kill and halt, pauses and bans, limits reloaded."""
