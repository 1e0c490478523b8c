"""Looking inside a trained network."""

from pellucid.inspection.gradient_flow import GradientFlow, gradient_flow

__all__ = ["GradientFlow", "gradient_flow"]
