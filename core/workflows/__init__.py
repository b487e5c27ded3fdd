"""Handle each input of the desk: one workflow per module. Workflows record facts and yield effects."""
