"""The vocabulary: frozen values that every room shares. Nothing here decides, reads a clock or touches the world."""
