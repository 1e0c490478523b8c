"""Looking inside a trained network, and at what it predicts."""

from pellucid.inspection.attribution import AttributionDisplay
from pellucid.inspection.backtesting import Backtest, backtest
from pellucid.inspection.feature_maps import FeatureMapDisplay
from pellucid.inspection.forecast_display import ForecastErrorDisplay
from pellucid.inspection.gates import GateDisplay
from pellucid.inspection.gradient_flow import GradientFlowDisplay, gradient_flow
from pellucid.inspection.hidden_layer import HiddenLayerDisplay
from pellucid.inspection.importance import ImportanceDisplay
from pellucid.inspection.linear_units import LinearUnitDisplay
from pellucid.inspection.pooling_display import PoolingDisplay
from pellucid.inspection.predictions import draw_predictions
from pellucid.inspection.row_loss import RowLossDisplay
from pellucid.inspection.top_losses import TopLossesDisplay
from pellucid.inspection.training_display import TrainingDisplay
from pellucid.training.monitor import Monitor

__all__ = [
    "AttributionDisplay",
    "Backtest",
    "FeatureMapDisplay",
    "ForecastErrorDisplay",
    "GateDisplay",
    "GradientFlowDisplay",
    "HiddenLayerDisplay",
    "ImportanceDisplay",
    "LinearUnitDisplay",
    "Monitor",
    "PoolingDisplay",
    "RowLossDisplay",
    "TopLossesDisplay",
    "TrainingDisplay",
    "backtest",
    "draw_predictions",
    "gradient_flow",
]
