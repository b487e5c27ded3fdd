"""The live and virtual runtimes: they feed the inbox and carry out effects. Only here does `core` read a wall clock."""
