"""Commands for the whole desk: kill and halt, pauses and bans, reload of the limits."""
