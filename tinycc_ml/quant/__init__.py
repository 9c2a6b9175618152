"""From a float graph to one marked with quantize and dequantize: ranges, schemes, and the choice."""
