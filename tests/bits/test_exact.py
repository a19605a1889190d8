"""The integer model gives the same tables however and wherever it is computed."""

import dataclasses
import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.bits.exact import ExactLanguageModel, quantize
from minicodec.bits.exact_arrays import Numpy, Torch
from minicodec.bits.exact_weights import ACTIVATION, LIMIT, POSITIONS
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.range_coder import MAX_TOTAL, decode_codes, encode_codes

#: Looks back 12 frames, so that a short clip leaves the context.
CONFIG = LanguageModelConfig(
    n_q=4, codebook_size=32, frame_rate=6, dim=48, layers=2, heads=8, hidden=96, seconds=2.1
)
#: The paper's, but for the number of codebooks: the longest sums that there are.
PAPER = LanguageModelConfig(n_q=2)
SHALLOW = dataclasses.replace(PAPER, layers=1)


def sharpened(config: LanguageModelConfig = CONFIG, seed: int = 0) -> LanguageModel:
    """A random model that is sure of itself, with weights of every size, as a trained one."""
    torch.manual_seed(seed)
    model = LanguageModel(config).eval().requires_grad_(False)
    model.heads.weight.mul_(6)
    for name, weight in model.named_parameters():
        if "norm" in name:
            weight.add_(0.2 * torch.randn_like(weight))
        elif name.endswith("bias"):
            weight.normal_(0, 0.3)
    return model


@pytest.fixture(scope="module")
def model() -> ExactLanguageModel:
    return quantize(sharpened())


def some_codes(n_q: int = 4, frames: int = 60, size: int = 32, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(size, (n_q, frames), generator=generator)


def stepwise(model: ExactLanguageModel, codes: torch.Tensor) -> torch.Tensor:
    table, state = model.stream(None, model.start(len(codes)))
    tables = [table]
    for frame in codes.T[:-1]:
        table, state = model.stream(frame, state)
        tables.append(table)
    return torch.stack(tables)


def permuted(model: LanguageModel) -> tuple[LanguageModel, torch.Tensor]:
    """The same function with its channels and hidden units in another order."""
    torch.manual_seed(7)
    config = model.config
    channels, hidden = torch.randperm(config.dim), torch.randperm(config.hidden)
    inside = torch.cat([  # units of one head stay together, and so do queries, keys and values
        h * (config.dim // config.heads) + torch.randperm(config.dim // config.heads)
        for h in torch.randperm(config.heads).tolist()
    ])  # fmt: skip
    qkv = torch.cat([inside, config.dim + inside, 2 * config.dim + inside])
    out = LanguageModel(config).eval().requires_grad_(False)
    state = dict(model.state_dict())
    for name, weight in state.items():
        kind = name.split(".")[-2]
        rows = {"qkv": qkv, "up": hidden, "embedding": None, "heads": None}.get(kind, channels)
        columns = {"out": inside, "down": hidden}.get(kind, channels)
        if rows is not None:
            weight = weight[rows]
        if weight.dim() == 2:
            weight = weight[:, columns]
        state[name] = weight
    out.load_state_dict(state)
    return out, channels


def test_steps_equal_the_whole_clip(model):
    codes = some_codes(frames=5 * CONFIG.context)
    assert torch.equal(model.tables(codes), stepwise(model, codes))


@pytest.mark.parametrize("block", [1, 7, 128])
def test_any_block_gives_the_same(model, monkeypatch, block):
    codes = some_codes(frames=300)
    expected = model.tables(codes)
    monkeypatch.setattr("minicodec.bits.exact._BLOCK", block)
    assert torch.equal(model.tables(codes), expected)


def test_the_papers_size_step_and_batch():
    model = quantize(sharpened(PAPER))
    codes = some_codes(2, PAPER.context + 40, 1024)
    tables = model.tables(codes)
    assert torch.equal(tables, stepwise(model, codes))
    assert torch.equal(tables, model.to("cpu").tables(codes))
    assert tables.sum(-1).max() <= MAX_TOTAL


def test_numpy_and_torch_agree(model):
    codes = some_codes(frames=100)
    tables = model.tables(codes)
    assert torch.equal(tables, model.to("cpu").tables(codes))
    assert torch.equal(tables, stepwise(model.to("cpu"), codes))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_torch_gives_the_same_under_every_setting(threads, onednn, precision):
    model = quantize(sharpened(SHALLOW))
    codes = some_codes(2, 100, 1024)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        with torch.backends.mkldnn.flags(enabled=onednn):
            tables = model.to("cpu").tables(codes)
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(tables, model.tables(codes))


def test_products_are_exact_with_inputs_rounded_to_bfloat16():
    """Few processors have such a product to test with; what counts is that the inputs fit."""
    model = quantize(sharpened())
    for name, tensor in model.tensors.items():
        if tensor.dtype == torch.int8:
            floats = tensor.float()
            assert torch.equal(floats.bfloat16().float(), floats), name
    activations = torch.arange(-ACTIVATION, ACTIVATION + 1).float()
    assert torch.equal(activations.bfloat16().float(), activations)


def test_the_order_of_sums_does_not_matter():
    """With all channels and hidden units permuted every sum runs in another order."""
    first = sharpened()
    second, channels = permuted(first)
    one, two = quantize(first), quantize(second)
    tensors = dict(two.tensors)  # positions belong to channels, so they move along
    tensors["positions"] = one.tensors["positions"][:, channels]
    two = ExactLanguageModel(CONFIG, tensors)
    codes = some_codes(frames=100)
    assert not torch.equal(one.tensors["layers.0.up.weight"], two.tensors["layers.0.up.weight"])
    assert torch.equal(one.tables(codes), two.tables(codes))


@torch.no_grad()
def test_the_float_model_is_not_exact():
    """What all this is for: the same tests of the float model would fail."""
    model = sharpened(PAPER)
    codes = some_codes(2, 100, 1024)[None]
    whole = model(codes).softmax(-1)
    state, seen, differing = model.start(2), None, 0
    for t in range(100):
        scores, state = model.stream(seen, state)
        seen = codes[:, :, t]
        differing += int((scores.softmax(-1) != whole[:, :, t]).any())
    assert differing > 50


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_gives_the_same():
    model = quantize(sharpened(PAPER))
    codes = some_codes(2, 300, 1024)
    expected = model.tables(codes)
    for tf32 in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        assert torch.equal(model.to("cuda").tables(codes.cuda()), expected)
        assert torch.equal(stepwise(model.to("cuda"), codes), expected)
    torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="there is no MPS device")
def test_codes_from_mps_are_taken():
    model = quantize(sharpened())
    assert torch.equal(model.tables(some_codes().to("mps")), model.tables(some_codes()))


_SCRIPT = """
import sys, torch
from minicodec.bits.exact import quantize
from minicodec.bits.range_coder import decode_codes, encode_codes
sys.path.insert(0, "tests/bits")
from test_exact import SHALLOW, sharpened, some_codes
model = quantize(sharpened(SHALLOW)).to({device})
codes = some_codes(2, 12, 1024)
if sys.argv[1] == "encode":
    print(torch.get_num_threads(), encode_codes(model, codes).hex())
else:
    assert torch.equal(decode_codes(model, bytes.fromhex(sys.argv[2]), 2, 12), codes)
    print(torch.get_num_threads(), "decoded")
"""


def run(threads: int, *args: str, device: str = "None") -> str:
    """In another process, with its own number of threads."""
    variables = {name: str(threads) for name in
                 ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(device=device), *args],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    count, _, answer = result.stdout.strip().partition(" ")
    assert int(count) == threads
    return answer


def test_encoded_with_one_thread_decoded_with_two_and_with_another_library():
    data = run(1, "encode")
    assert run(2, "decode", data, device="'cpu'") == "decoded"


def test_round_trip_through_the_range_coder(model):
    codes = some_codes(3, 50)
    data = encode_codes(model, codes)
    assert torch.equal(decode_codes(model, data, 3, 50), codes)
    assert len(encode_codes(model, some_codes(2, 0))) <= 2


@given(st.integers(1, 4), st.integers(0, 30), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_tables_are_tables(n_q, frames, seed):
    model = _shared()
    tables = model.tables(some_codes(n_q, frames, seed=seed))
    assert tables.shape == (frames, n_q, 32) and tables.dtype == torch.int64
    assert frames == 0 or (tables.min() >= 1 and tables.sum(-1).max() <= MAX_TOTAL)


def _shared(cache: list = []) -> ExactLanguageModel:  # noqa: B006  hypothesis takes no fixtures
    if not cache:
        cache.append(quantize(sharpened()))
    return cache[0]


@torch.no_grad()
def test_it_costs_next_to_nothing():
    """The integers predict as well as the floats, sure of themselves (0.4 bits a code) or not."""
    for sharp, limit in ((0.3, 1e-3), (1.0, 1e-3), (4.0, 5e-3)):
        floats = sharpened()
        floats.heads.weight.mul_(sharp)
        exact, codes = quantize(floats), some_codes(frames=400)
        p = floats(codes[None]).double().softmax(-1)[0].transpose(0, 1)
        tables = exact.tables(codes).double()
        q = tables / tables.sum(-1, keepdim=True)
        entropy = -(p * p.clamp(min=1e-300).log2()).sum(-1).mean()
        cost = (p * (p.clamp(min=1e-300) / q).log2()).sum(-1).mean()
        print(f"\nentropy {entropy:.3f} bits, exactness costs {100 * cost / entropy:.4f} %", end="")
        assert 0 <= cost < limit * entropy


def test_positions_begin_anew(model):
    """Far beyond what it was trained for, the model still says the same in step and batch."""
    codes = some_codes(1, POSITIONS + 30)
    tables = model.tables(codes)
    assert torch.equal(tables[-40:], stepwise(model, codes)[-40:])


def test_a_state_is_a_value_that_can_be_used_twice(model):
    codes = some_codes(2, 40)
    table, state = model.stream(None, model.start(2))
    states = [state]
    for frame in codes.T:
        table, state = model.stream(frame, state)
        states.append(state)
    _, other = model.stream(codes[:, 5], states[5])  # go back, and on another way
    for frame in some_codes(2, 20, seed=3).T:
        _, other = model.stream(frame, other)
    state = states[5]
    for frame in codes.T[5:]:
        again, state = model.stream(frame, state)
    assert torch.equal(again, table)


@pytest.mark.parametrize("xp", [Numpy(), Torch("cpu")])
def test_roots_round_to_the_right_integer(xp):
    """Also where an integer lies beside the square of a half: there a wrong last bit would show."""
    middles = [random**2 + random + shift for random in (1, 10, 12345, 2**20 + 7, 2**24 - 1)
               for shift in (0, 1)]  # fmt: skip
    others = np.random.default_rng(0).integers(1, 2**49, 20000).tolist()
    numbers = middles + others
    roots = xp.rint(xp.sqrt(xp.place(torch.tensor(numbers, dtype=torch.float64), 64)))
    for number, root in zip(numbers, np.asarray(roots).tolist()):
        exact = math.isqrt(4 * number)  # the root's half-integers below
        assert root == (exact + 1) // 2


@pytest.mark.parametrize("xp", [Numpy(), Torch("cpu")])
def test_elementary_operations_round_correctly(xp):
    """IEEE 754 says so, and here it is checked against fractions, which do not round at all."""
    from fractions import Fraction

    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=300) * 10.0 ** generator.integers(-8, 8, 300) for _ in range(2))
    x, y = (xp.place(torch.from_numpy(v), 64) for v in (a, b))
    for result, operation in ((x * y, "__mul__"), (x / y, "__truediv__"), (x + y, "__add__"),
                              (1.0 / y, "__rtruediv__")):  # fmt: skip
        for got, left, right in zip(np.asarray(result).tolist(), a.tolist(), b.tolist()):
            if operation == "__rtruediv__":
                expected = float(1 / Fraction(right))
            else:
                expected = float(getattr(Fraction(left), operation)(Fraction(right)))
            assert got == expected


def test_sums_stay_in_range():
    """The worst that weights and limits allow is still exact."""
    config = dataclasses.replace(PAPER, layers=1, hidden=1040)
    floats = LanguageModel(config)
    for weight in floats.parameters():
        weight.data.fill_(1.0)  # every row as long as it can be
    model = quantize(floats)
    for name, tensor in model.tensors.items():
        if name.endswith(".weight"):
            assert int(tensor.int().abs().sum(1).max()) * ACTIVATION < 2**24
    assert config.dim**2 * LIMIT**2 < 2**49


def test_fingerprints_tell_models_apart(model):
    assert model.fingerprint == quantize(sharpened()).fingerprint == model.to("cpu").fingerprint
    assert len(model.fingerprint) == 8
    assert model.fingerprint != quantize(sharpened(seed=1)).fingerprint
    tensors = {name: tensor.clone() for name, tensor in model.tensors.items()}
    tensors["layers.0.qkv.weight"][0, 0] += 1
    assert model.fingerprint != ExactLanguageModel(CONFIG, tensors).fingerprint


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("exp", None, "has a tensor 'exp'"),
        ("more", torch.zeros(1), "has no tensor 'more'"),
        ("norm.gain", torch.zeros(3, dtype=torch.float64), r"norm.gain should be float64 \[48\]"),
        ("positions", torch.zeros(POSITIONS, 48), "should be int16"),
        ("norm.bias", torch.full((48,), math.nan, dtype=torch.float64), "not finite"),
        ("norm.bias", torch.full((48,), 1e12, dtype=torch.float64), "far too large"),
        ("norm.epsilon", torch.tensor(0.5, dtype=torch.float64), "epsilon is an integer"),
        ("exp", torch.zeros(1473, dtype=torch.int32), "should fall from 2"),
    ],
)
def test_wrong_tensors(model, name, change, message):
    tensors = dict(model.tensors)
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change
    with pytest.raises(ValueError, match=message):
        ExactLanguageModel(CONFIG, tensors)


def test_mps_cannot_compute_it(model):
    with pytest.raises(ValueError, match="MPS has no float64"):
        model.to("mps")


def test_rows_that_could_leave_the_exact_range_are_refused():
    config = dataclasses.replace(CONFIG, hidden=2048)
    tensors = dict(quantize(LanguageModel(config)).tensors)
    tensors["layers.1.down.weight"] = torch.full((48, 2048), 127, dtype=torch.int8)
    with pytest.raises(ValueError, match="float32 is exact only below"):
        ExactLanguageModel(config, tensors)


def test_models_too_wide_or_not_finite():
    with pytest.raises(ValueError, match="at most 512 channels"):
        quantize(LanguageModel(dataclasses.replace(CONFIG, dim=640, layers=1)))
    broken = sharpened()
    broken.heads.weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        quantize(broken)


def test_wrong_codes(model):
    with pytest.raises(ValueError, match="knows 1 to 4 codebooks, not 5"):
        model.tables(some_codes(5))
    for n_q in (0, 5):
        with pytest.raises(ValueError, match=f"knows 1 to 4 codebooks, not {n_q}"):
            model.start(n_q)
    with pytest.raises(ValueError, match="lie in 0 to 31"):
        model.tables(some_codes() + 1)
    with pytest.raises(ValueError, match="this stream has 2 codebooks, not 3"):
        model.stream(torch.zeros(3, dtype=torch.int64), model.start(2))
    with pytest.raises(ValueError, match="lie in 0 to 31"):
        model.stream(torch.tensor([0, 32]), model.start(2))


def test_all_fewer_codebooks(model):
    codes = some_codes(4, 20)
    tables = {n_q: model.tables(codes[:n_q]) for n_q in (1, 2, 3, 4)}
    for a, b in itertools.combinations(tables, 2):
        assert tables[a].shape[1] == a and not torch.equal(tables[a], tables[b][:, :a])
