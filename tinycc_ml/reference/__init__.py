"""What the numbers must be: float and integer references in NumPy, and comparisons against them."""
