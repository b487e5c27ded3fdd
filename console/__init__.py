"""The terminal desk. It reaches the engine only through `console.client.handle`."""
