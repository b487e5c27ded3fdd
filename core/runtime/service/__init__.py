"""The engine's side of its socket: connections, the views sent to desks, and the commands accepted from them."""
