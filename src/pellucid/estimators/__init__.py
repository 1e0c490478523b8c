"""Networks as scikit-learn estimators."""

from pellucid.estimators.cnn import CNNClassifier, CNNRegressor
from pellucid.estimators.fcnn import FCNNClassifier, FCNNRegressor
from pellucid.estimators.gru import GRUClassifier, GRURegressor
from pellucid.estimators.lstm import LSTMClassifier, LSTMRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor
from pellucid.estimators.rnn import RNNClassifier, RNNRegressor

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "FCNNClassifier",
    "FCNNRegressor",
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "RNNClassifier",
    "RNNRegressor",
]
