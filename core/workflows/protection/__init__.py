"""What keeps a position safe: protective stops, exits that follow what is held, protections, margin."""
