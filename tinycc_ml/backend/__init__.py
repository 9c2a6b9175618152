"""From the integer (or float) graph to C: kernels, memory, spelling, files."""
