"""The integer model gives the same tables in steps and at once, in any order of its sums."""

import itertools

import pytest
import torch
from exact_models import CONFIG, PAPER, permuted, sharpened, some_codes, stepwise
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.exact_fast import faster
from minicodec.bits.exact_weights import POSITIONS
from minicodec.bits.range_coder import MAX_TOTAL, decode_codes, encode_codes


@pytest.fixture(scope="module", params=["plain", "fast"])
def model(request) -> ExactLanguageModel:
    """The plain statement, and the fast one."""
    plain = exact_copy(sharpened())
    return plain if request.param == "plain" else faster(plain)


def test_steps_equal_the_whole_clip(model):
    codes = some_codes(frames=5 * CONFIG.context)
    assert torch.equal(model.tables(codes), stepwise(model, codes))


def test_the_order_of_sums_does_not_matter():
    """With all channels and hidden units permuted every sum runs in another order."""
    first = sharpened()
    second, channels = permuted(first)
    one, two = exact_copy(first), exact_copy(second)
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
        cache.append(exact_copy(sharpened()))
    return cache[0]


@torch.no_grad()
def test_it_costs_next_to_nothing():
    """The integers predict as well as the floats, sure of themselves (0.4 bits a code) or not."""
    for sharp, limit in ((0.3, 1e-3), (1.0, 1e-3), (4.0, 5e-3)):
        floats = sharpened()
        floats.heads.weight.mul_(sharp)
        exact, codes = exact_copy(floats), some_codes(frames=400)
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


def test_fingerprints_tell_models_apart(model):
    assert model.fingerprint == exact_copy(sharpened()).fingerprint
    assert len(model.fingerprint) == 8
    assert model.fingerprint != exact_copy(sharpened(seed=1)).fingerprint
    tensors = {name: tensor.clone() for name, tensor in model.tensors.items()}
    tensors["layers.0.qkv.weight"][0, 0] += 1
    assert model.fingerprint != ExactLanguageModel(CONFIG, tensors).fingerprint


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
