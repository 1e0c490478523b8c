"""Weights of models that PyTorch trained: loaded, a network answers as they do; what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from torch_twin import gradients

from pellucid import Network
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Residual,
    Tanh,
)

# -- models of PyTorch ---------------------------------------------------------------------------


def trained(module, x, classes, steps=5):
    """`module` in evaluation mode, after some steps of Adam from random weights."""
    import torch

    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(x), classes)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    return module.eval()


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def check_equal(torch, module, network, x, given=None, lacking=()):
    """Outputs, and then one step's gradients in training, are as `module` has them on `given`."""
    given = torch.tensor(x) if given is None else given
    np.testing.assert_allclose(network.forward(x), module(given).detach().numpy(), atol=1e-5)
    module.train().zero_grad()
    classes = np.arange(len(x)) % 3
    torch.nn.functional.cross_entropy(module(given), torch.tensor(classes)).backward()
    _, ours = network.gradients(x, classes, "categorical_cross_entropy")
    theirs = gradients(network, module)
    for name, parameter in network.chain.parameters.items():
        if parameter.learns and name not in lacking:
            np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5, err_msg=name)
    module.eval()


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_cnn(torch):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            nn = torch.nn
            self.conv1 = nn.Conv2d(2, 5, 3, padding=1, bias=False)
            self.norm1 = nn.BatchNorm2d(5)
            self.conv2 = nn.Conv2d(5, 4, 3, stride=2)
            self.fc1 = nn.Linear(4 * 2 * 1, 6)
            self.fc2 = nn.Linear(6, 3)

        def forward(self, x):
            f = torch.nn.functional
            x = f.max_pool2d(f.relu(self.norm1(self.conv1(x))), 2, padding=1)
            return self.fc2(f.relu(self.fc1(f.relu(self.conv2(x)).flatten(1))))

    x = random(7, 8, 5, 2)
    pictures = torch.tensor(x).permute(0, 3, 1, 2)
    module = trained(Model(), pictures, torch.arange(7) % 3)
    layers = [
        Conv2d(5, 3, padding=1, bias=False), BatchNorm(), ReLU(), MaxPool2d(2, padding=1),
        Conv2d(4, 3, stride=2), ReLU(), Flatten(), Linear(6), ReLU(), Dropout(0.0), Linear(3),
    ]  # fmt: skip
    network = Network(layers).build((8, 5, 2), random_state=1)
    assert network.load_torch(module.state_dict()) is network
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    again = Network(layers).build((8, 5, 2), random_state=2).load_torch(arrays)
    assert again.values.tobytes() == network.values.tobytes()
    check_equal(torch, module, network, x, pictures)


def test_cnn_of_signals(torch):
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv1d(2, 4, 3, dilation=2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(12, 3)
    )
    x = random(7, 11, 2)
    signals = torch.tensor(x).permute(0, 2, 1)
    trained(module, signals, torch.arange(7) % 3)
    layers = [Conv1d(4, 3, dilation=2), ReLU(), MaxPool1d(2), Flatten(), Linear(3)]
    network = Network(layers).build((11, 2), random_state=1).load_torch(module.state_dict())
    check_equal(torch, module, network, x, signals)


def test_pictures_that_are_flattened_at_once(torch):
    nn = torch.nn
    x = random(7, 4, 3, 2)
    pictures = torch.tensor(x).permute(0, 3, 1, 2)
    module = nn.Sequential(nn.Flatten(), nn.LayerNorm(24), nn.Linear(24, 3))
    trained(module, pictures, torch.arange(7) % 3)
    network = Network([Flatten(), LayerNorm(), Linear(3)]).build((4, 3, 2), random_state=1)
    check_equal(torch, module, network.load_torch(module.state_dict()), x, pictures)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("both", [False, True])
def test_recurrent(torch, kind, both):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            layer = getattr(torch.nn, kind)
            self.states = layer(3, 5, num_layers=2, batch_first=True, bidirectional=both)
            self.head = torch.nn.Linear(5 * (1 + both), 3)

        def forward(self, x):
            _, last = self.states(x)
            last = last[0] if isinstance(last, tuple) else last
            return self.head(torch.cat(list(last[-1 - both :]), 1))

    x = random(7, 6, 3)
    module = trained(Model(), torch.tensor(x), torch.arange(7) % 3)
    layer = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}[kind](5, num_layers=2, bidirectional=both)
    network = Network([layer, Linear(3)]).build((6, 3), random_state=1)
    check_equal(torch, module, network.load_torch(module.state_dict()), x)
    before = network.values.copy()
    stack = {"0": "states", "1": "states.l1", "2": "head"}
    network.initialize(0).load_torch(module.state_dict(), stack)
    assert (network.values == before).all()


def test_tokens(torch):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(9, 4)
            self.norm = torch.nn.LayerNorm(4)
            self.states = torch.nn.GRU(4, 5, batch_first=True, bias=False)
            self.head = torch.nn.Linear(5, 3)

        def forward(self, x):
            return self.head(self.states(self.norm(self.table(x)))[0].mean(1))

    x = np.random.default_rng(0).integers(0, 9, (7, 6))
    module = trained(Model(), torch.tensor(x), torch.arange(7) % 3)
    layers = [
        Embedding(9, 4), LayerNorm(), GRU(5, return_sequences=True), GlobalAvgPool(), Linear(3),
    ]  # fmt: skip
    network = Network(layers).build((6,), random_state=1)
    lacking = ("2.bias", "2.candidate_bias")
    check_equal(torch, module, network.load_torch(module.state_dict()), x, lacking=lacking)


def test_residual_block_of_a_resnet(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(2, 4, 3, 2, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(4)
            self.conv2 = nn.Conv2d(4, 4, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(4)
            self.downsample = nn.Sequential(nn.Conv2d(2, 4, 1, 2, bias=False), nn.BatchNorm2d(4))

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))

    module = nn.Sequential(Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    x = random(7, 8, 8, 2)
    pictures = torch.tensor(x).permute(0, 3, 1, 2)
    trained(module, pictures, torch.arange(7) % 3)
    block = Residual(
        [Conv2d(4, 3, 2, 1, bias=False), BatchNorm(), ReLU(), Conv2d(4, 3, 1, 1, bias=False),
         BatchNorm()],
        shortcut=[Conv2d(4, 1, 2, bias=False), BatchNorm()],
    )  # fmt: skip
    network = Network([block, ReLU(), GlobalAvgPool(), Linear(3)]).build((8, 8, 2), random_state=1)
    check_equal(torch, module, network.load_torch(module.state_dict()), x, pictures)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16", "float64"])
def test_a_safetensors_file(torch, tmp_path, kind):
    from safetensors.torch import save_file

    nn = torch.nn
    module = nn.Sequential(*[nn.Linear(4, 4) for _ in range(12)], nn.BatchNorm1d(4))
    module = module.to(getattr(torch, kind))
    save_file(module.state_dict(), tmp_path / "model.safetensors")  # which sorts "10" before "2"
    network = Network([*[Linear(4)] * 12, BatchNorm()]).build(4, "float64", random_state=1)
    network.load_torch(tmp_path / "model.safetensors")
    for name, array in network.parameters().items():
        if name.endswith("weight"):
            theirs = module.get_parameter(name).detach().double().numpy().T
            np.testing.assert_array_equal(array, theirs)


# -- what needs no torch -------------------------------------------------------------------------


def state():
    return {
        "conv.weight": random(3, 2, 3, 3), "conv.bias": random(3),
        "norm.weight": random(3), "norm.bias": random(3),
        "norm.running_mean": random(3), "norm.running_var": abs(random(3)),
        "norm.num_batches_tracked": np.array(7),
        "head.weight": random(4, 12), "head.bias": random(4),
    }  # fmt: skip


@pytest.fixture
def network():
    layers = [Conv2d(3, 3), BatchNorm(), Tanh(), Flatten(), Linear(4)]
    return Network(layers).build((4, 4, 2), random_state=0)


def test_arrays_need_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from pellucid import Network\n"
        "import pellucid.torch\n"
        "from pellucid.layers import Linear\n"
        "network = Network([Linear(2)]).build(3)\n"
        "network.load_torch({'fc.weight': np.ones((2, 3)), 'fc.bias': np.zeros(2)})\n"
        "print(network.forward(np.ones((1, 3))).tolist(), 'torch' in sys.modules)\n"
        "sys.modules['torch'] = None\n"
        "try:\n    pellucid.torch.to_module(network)\n"
        "except ImportError as error:\n    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [
        "[[3.0, 3.0]] False",
        "to_module needs torch, which is not installed. Install it: pip install torch",
    ]


def test_features_behind_a_flatten_are_put_in_order(network):
    network.load_torch(state())
    weight = state()["head.weight"].reshape(4, 3, 2, 2)  # out, channels, height, width
    own = network.parameters()["4.weight"].reshape(2, 2, 3, 4)
    np.testing.assert_array_equal(own, weight.transpose(2, 3, 1, 0))


def test_order_of_the_dict_does_not_matter_where_shapes_tell(network):
    network.load_torch(state())
    before = network.values.copy()
    network.initialize(1).load_torch(dict(reversed(list(state().items()))))
    assert (network.values == before).all()


def test_biases_of_recurrent_layers_may_be_absent():
    network = Network([LSTM(3)]).build((4, 2), random_state=0)
    network.load_torch({"weight_ih_l0": random(12, 2), "weight_hh_l0": random(12, 3)})
    assert not network.parameters()["0.bias"].any()


def test_numbers_that_float32_cannot_hold_are_refused():
    network = Network([Linear(1)]).build(1, random_state=0)
    before = network.values.copy()
    state = {"weight": np.ones((1, 1)), "bias": np.array([-1e39])}
    with pytest.raises(ValueError, match="'0.bias' of Network must be .* float32 holds. Got 1e.39"):
        network.load_torch(state)
    assert (network.values == before).all()
    assert Network([Linear(1)]).build(1, "float64").load_torch(state).values.min() == -1e39


def refused(network, kind, words, given, names=None):
    before = network.values.copy()
    with pytest.raises(kind, match=words):
        network.load_torch(given, names)
    assert (network.values == before).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conv.weight": random(3, 2, 5, 5)},
         r"state of load_torch: 'conv.weight' must have shape \(3, 2, 3, 3\) for layer 0, "
         r"Conv2d\(3, 3\). Got \(3, 2, 5, 5\)"),
        ({"head.weight": random(4, 13)},
         r"'head.weight' must have shape \(4, 12\) for layer 4, Linear\(4\). Got \(4, 13\)"),
        ({"conv.bias": None}, r"'conv' must have 'bias' for layer 0, Conv2d\(3, 3\). Got 'weight'"),
        ({"norm.extra": random(1)}, r"layer 1, BatchNorm\(\) must have 'weight', 'bias', "
         r"'running_mean', 'running_var' alone. Got 'norm.extra'"),
        ({"tail.weight": random(4, 4)}, r"layers alone.*Got 4, and no layer that takes 'tail'"),
        ({"head.weight": None, "head.bias": None},
         r"must have weights for layer 4, Linear\(4\): weight \(4, 12\), bias \(4,\). Got none"),
        ({"head.bias": np.array([1, np.nan, 1, 1])}, r"'head' must be finite. Got NaN"),
        ({"norm.running_var": np.array([1, -1, 1])}, r"variance .* at least 0. Got -1."),
    ],
)  # fmt: skip
def test_other_states_are_refused(network, change, words):
    given = {name: array for name, array in (state() | change).items() if array is not None}
    refused(network, ValueError, words, given)


def test_other_things_are_refused(network, tmp_path):
    refused(network, TypeError, r"a dict of arrays or tensors by name.*Got 3", 3)
    refused(network, TypeError, r"each name in state of load_torch must be text. Got 0", {0: 1})
    refused(network, TypeError, r"state\['a'\] of load_torch must be an array", {"a": "b"})
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"PK\x03\x04 something else")
    refused(network, ValueError, r"must be a safetensors file.*cannot be read", broken)
    refused(
        network,
        FileNotFoundError,
        r"none.safetensors' cannot be read",
        tmp_path / "none.safetensors",
    )
    whole = {"conv.weight": np.ones((3, 2), np.int32)}
    safetensors.numpy.save_file(whole, broken)
    refused(network, ValueError, r"'conv.weight' in '.*' must be of floats.*Got 'I32'", broken)


@pytest.mark.parametrize("name", ["model.pt", "model.PTH", "pytorch_model.bin", "model.pkl"])
def test_a_pickle_is_not_read(network, tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04.")
    words = r"must be a safetensors file for load_torch: a pickle can run any code.*save_file"
    refused(network, ValueError, words, tmp_path / name)


def test_names(network):
    two = Network([Linear(3), Tanh(), Linear(3)]).build(3, random_state=0)
    given = {
        "a.weight": random(3, 3), "a.bias": random(3), "b.weight": random(3, 3) + 1,
        "b.bias": random(3),
    }  # fmt: skip
    assert (two.load_torch(given).parameters()["0.weight"] == given["a.weight"].T).all()
    two.load_torch(given, names={"0": "b"})
    assert (two.parameters()["0.weight"] == given["b.weight"].T).all()
    assert (two.parameters()["2.weight"] == given["a.weight"].T).all()
    refused(two, ValueError, r"Got '1', which the network does not have", given, {"1": "a"})
    refused(
        two, ValueError, r"Got 'aa', which the state does not have.*mean 'a'", given, {"0": "aa"}
    )
    refused(
        two,
        ValueError,
        r"name each of their layers once. Got 'a' twice",
        given,
        {"0": "a", "2": "a"},
    )
    refused(two, TypeError, r"names of load_torch must be a dict.*Got \['a'\]", given, ["a"])


def test_a_file_keeps_no_order_so_names_are_asked_for(tmp_path):
    two = Network([Linear(3), Tanh(), Linear(3)]).build(3, random_state=0)
    given = {f"{name}.weight": random(3, 3) + i for i, name in enumerate(("encode", "decode"))}
    given |= {f"{name}.bias": random(3) for name in ("encode", "decode")}
    safetensors.numpy.save_file(given, tmp_path / "x.safetensors")
    words = r"does not keep the order.*Got 'decode', 'encode'. Pass names={'0': 'decode'}"
    refused(two, ValueError, words, tmp_path / "x.safetensors")
    two.load_torch(tmp_path / "x.safetensors", {"0": "encode"})
    assert (two.parameters()["0.weight"] == given["encode.weight"].T).all()


def test_a_gru_that_resets_before_is_not_torchs():
    network = Network([GRU(3, reset_after=False)]).build((4, 2), random_state=0)
    given = {
        "weight_ih_l0": random(9, 2), "weight_hh_l0": random(9, 3), "bias_ih_l0": random(9),
        "bias_hh_l0": random(9),
    }  # fmt: skip
    words = r"alone. Got 'bias_hh_l0'. PyTorch's GRU.*build GRU\(reset_after=True\)"
    refused(network, ValueError, words, given)


def test_a_network_must_be_built():
    with pytest.raises(ValueError, match="Call network.build"):
        Network([Linear(2)]).load_torch({})
