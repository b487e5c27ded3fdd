"""The terminal: bytes in, keys out, one frame at a time; the kill chord and the paint proof."""
