"""What feeds the inbox and carries out effects. Here, and nowhere else in the core, is a clock of the wall."""
