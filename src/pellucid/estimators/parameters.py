"""The parameters that all estimators share: what they mean, their defaults, and why those."""

from __future__ import annotations

from typing import Any

_SHARED = {
    "dropout": """dropout : float, default=0.0
    The share of each hidden layer's outputs set to zero in training, in [0, 1). 0, since weight
    decay does nearly as well and leaves the fit free of chance.""",
    "activation": """activation : {"relu", "leaky_relu", "sigmoid", "tanh"}, default="relu"
    What follows each hidden layer. ReLU learns fast and does not saturate.""",
    "initialization": """initialization : str, default="glorot_uniform"
    How the hidden layers' weights begin; see :mod:`pellucid.layers.initialization`. In two layers
    its smaller weights did better than He's; for many layers of ReLU try "he_uniform".""",
    "recurrent": """hidden_dim : int, default=64
    Numbers of a state.
num_layers : int, default=1
    Recurrent layers, one upon the other; each gives all its states to the next.
bidirectional : bool, default=False
    Whether each layer also goes from the end to the beginning, with weights of its own.
dropout : float, default=0.0
    The share of each layer's states set to zero on their way to the next layer, in training.
return_sequences : bool, default=False
    Whether there is a target, and a prediction, for each step of a sequence: y and what is
    predicted are then arrays (rows, steps), lists of arrays (steps,), or one entry for each row of
    a long table, as X is; with a further axis for several. Else there is one for each sequence.""",
    "truncation": """tbptt_steps : int or None, default=None
    Through how many steps a gradient goes back at most (truncated backpropagation through time);
    None is all. Longer sequences are worked through in pieces of as many steps: each goes on from
    the last state of the piece before, and memory holds one piece.""",
    "sequences": """group : str, default=None
    In a long table, the column that says which sequence a row belongs to.
time : str, default=None
    In a long table, the column by which the rows of a sequence are sorted.""",
    "clipping": """clip_norm : float or None, default=1.0
    The largest norm of the whole gradient. Through many steps gradients can explode.""",
    "optimizer": """optimizer : {"sgd", "rmsprop", "adam", "adamw"} or Optimizer, default="adamw"
    How gradients change the weights; an instance such as ``SGD(momentum=0.8)`` sets more.""",
    "learning_rate": """learning_rate : float, default=0.003
    The largest step. Three times Adam's usual 0.001: a small table has few steps, and the schedule
    ends it at zero.""",
    "faster_rate": """learning_rate : float, default=0.01
    The largest step. More than for other networks: gates open slowly, and clipped gradients do no
    harm.""",
    "schedule": """schedule : str or Schedule, default="cosine"
    How the rate changes: "constant", "step", "cosine" (with warm-up), "one_cycle", "plateau". A
    rate that falls to zero settles in a minimum, so that the last epoch is a good one.""",
    "weight_decay": """weight_decay : float or "auto", default="auto"
    Pull of the weights (not the biases) towards zero, times the learning rate in every step.
    With AdamW "auto" is 30 over the square root of the number of steps, much for a small table
    and little for a large one, and 0.01 in `partial_fit`, where nobody knows how many will come;
    with the other optimisers it is 0.""",
    "clip_norm": """clip_norm : float or None, default=None
    The largest norm of the whole gradient; None leaves it as it is.""",
    "max_epochs": """max_epochs : int, default=50
    How many times all rows are seen. Less was too little for tables of a hundred rows.""",
    "batch_size": """batch_size : int or "full", default=32
    Rows a step, "full" for all. Small batches learn more in an epoch.""",
    "early_stopping": """early_stopping : bool, default=False
    Whether to keep rows aside, stop when they no longer improve, and go back to the best epoch.
    Off, since a small table needs all its rows.""",
    "validation_fraction": """validation_fraction : float, default=0.1
    The share of rows kept aside where `early_stopping` asks for it.""",
    "patience": """patience : int, default=10
    Epochs without improvement after which early stopping stops.""",
    "class_weight": """class_weight : None, "balanced" or dict, default=None
    Weights of the classes; "balanced" gives each the same total.""",
    "dtype": """dtype : {"float32", "float64"}, default="float32"
    The type of all arithmetic. float32 is twice as fast and exact enough.""",
    "callbacks": """callbacks : callable or list of callables, default=None
    Each is called as ``callback(estimator, row)`` after every epoch; True stops the fit.""",
    "warm_start": """warm_start : bool, default=False
    Whether `fit` goes on from the weights of the fit before.""",
    "n_jobs": """n_jobs : int or None, default=None
    Threads at most; None and -1 mean all that the process may use. No result depends on it.""",
    "random_state": """random_state : int, RandomState or None, default=None
    An integer makes the fit the same to the bit, on every machine and any number of threads.""",
    "verbose": """verbose : int, default=1
    0 is silent; 1 shows a progress bar, or some lines where there is no terminal; 2 a line an
    epoch.""",
}

ATTRIBUTES = """network_ : Network
    The trained network.
history_ : History
    One row an epoch; ``history_.to_frame()`` is a DataFrame.
n_iter_ : int
    Epochs trained.
loss_ : float
    The last epoch's loss.
best_epoch_ : int
    The epoch whose weights were kept.
n_outputs_ : int
    Numbers a row that the network gives: targets, labels, classes (one for two).
target_ : ClassTarget or MultilabelTarget or NumberTarget
    What was learned about y.
n_features_in_ : int
    Numbers in a row of X.
feature_names_in_ : ndarray of str
    Their names, where X had any."""


def documented(cls: Any) -> Any:
    """Fill ``{parameter}`` and ``{attributes}`` in a class's docstring from the table above."""
    text = cls.__doc__
    for name, entry in {**_SHARED, "attributes": ATTRIBUTES}.items():
        text = text.replace("    {" + name + "}", "\n".join("    " + x for x in entry.split("\n")))
    cls.__doc__ = text
    return cls
