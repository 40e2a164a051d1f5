"""Features computed by ONNX Runtime."""
