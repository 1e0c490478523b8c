"""Networks as scikit-learn estimators."""

from pellucid.estimators.fcnn import FCNNClassifier, FCNNRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor

__all__ = ["FCNNClassifier", "FCNNRegressor", "NetworkClassifier", "NetworkRegressor"]
