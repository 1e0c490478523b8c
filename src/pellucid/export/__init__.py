"""Models that go elsewhere: to ONNX, to PyTorch, and to plain NumPy."""

from pellucid.export.onnx.inputs import input_feed
from pellucid.export.onnx.model import network_to_onnx, to_onnx

__all__ = ["input_feed", "network_to_onnx", "to_onnx"]
