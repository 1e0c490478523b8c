"""Looking inside a trained network, and at what it predicts."""

from pellucid.inspection.backtesting import Backtest, backtest
from pellucid.inspection.gradient_flow import GradientFlowDisplay, gradient_flow
from pellucid.inspection.predictions import draw_predictions

__all__ = ["Backtest", "GradientFlowDisplay", "backtest", "draw_predictions", "gradient_flow"]
