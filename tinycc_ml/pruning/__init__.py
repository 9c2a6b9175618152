"""From a float graph to one with fewer weights: which go (scores, patterns, channels), and how the others make
up for it (reconstruct)."""
