"""From trees and nets back to text: the formatter of the spec language, and the decompiler of ONNX files."""
