"""Models that go elsewhere: to ONNX, to PyTorch, and to plain NumPy."""
