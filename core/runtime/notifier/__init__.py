"""Messages to people: carried by a process of its own, which alone knows Apprise and the channels' addresses (SY-03).

The engine's process writes a message into a pipe and hears what became of it; a channel that hangs, leaks or is heavy
costs it nothing. Each try is a process more, which has so many seconds and is killed with all that it began.
"""
