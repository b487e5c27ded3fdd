"""What the operator sees and types. Its only way to the engine is `console.client.handle`."""
