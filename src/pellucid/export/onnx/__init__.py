"""Models as ONNX graphs: raw rows in, the model's answers out."""
