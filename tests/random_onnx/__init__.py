"""Random valid ONNX graphs through compiled C: a writer, a table of how each operator is drawn, and what becomes of them."""
