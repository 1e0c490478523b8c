"""Networks as scikit-learn estimators."""

from pellucid.estimators.cnn import CNNClassifier, CNNRegressor
from pellucid.estimators.fcnn import FCNNClassifier, FCNNRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "FCNNClassifier",
    "FCNNRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
]
