"""Messages to people, sent by a separate process that alone knows Apprise and the channels' addresses (SY-03).

The engine writes a message into a pipe and receives the delivery result; a channel that hangs, leaks or is slow costs
the engine nothing. Each attempt runs in its own process with a time limit, and is killed with all its children.
"""
