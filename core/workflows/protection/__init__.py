"""Position safety: protective stops, exits that follow the position, protections, margin."""
