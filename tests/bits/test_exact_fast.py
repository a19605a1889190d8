"""The same tables as the plain statement, however and wherever they are computed."""

import functools
import os
import subprocess
import sys

import pytest
import torch
from exact_models import CONFIG, PAPER, SHALLOW, sharpened, some_codes, stepwise
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.exact_fast import FastExactLanguageModel, faster
from minicodec.bits.exact_weights import ACTIVATION
from minicodec.bits.range_coder import MAX_TOTAL, decode_codes, encode_codes


@pytest.fixture(scope="module")
def model() -> FastExactLanguageModel:
    return faster(exact_copy(sharpened()))


@pytest.mark.parametrize("block", [1, 7, 128])
def test_any_block_gives_the_same(model, monkeypatch, block):
    codes = some_codes(frames=300)
    expected = model.tables(codes)
    monkeypatch.setattr("minicodec.bits.exact_fast._BLOCK", block)
    assert torch.equal(model.tables(codes), expected)


def test_the_papers_size_step_and_batch():
    plain = exact_copy(sharpened(PAPER))
    model = faster(plain)
    codes = some_codes(2, PAPER.context + 40, 1024)
    tables = plain.tables(codes)
    assert torch.equal(tables, model.tables(codes))
    assert torch.equal(tables, stepwise(model, codes))
    assert torch.equal(tables, faster(plain, "cpu").tables(codes))
    assert tables.sum(-1).max() <= MAX_TOTAL


@pytest.mark.parametrize("part", ["scale", "gain"])
def test_weights_of_any_size_give_the_same(part):
    """Also such that no int64 holds what comes of them before it is clipped."""
    tensors = exact_copy(sharpened()).tensors
    for name in tensors:
        if name.endswith(part):
            tensors[name] = (tensors[name] * 1e30).clamp(-9e8, 9e8)
    plain, codes = ExactLanguageModel(CONFIG, tensors), some_codes()
    assert torch.equal(faster(plain).tables(codes), plain.tables(codes))
    assert torch.equal(faster(plain, "cpu").tables(codes), plain.tables(codes))


def test_numpy_and_torch_agree(model):
    codes = some_codes(frames=100)
    tables = model.tables(codes)
    assert torch.equal(tables, faster(model, "cpu").tables(codes))
    assert torch.equal(tables, stepwise(faster(model, "cpu"), codes))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_torch_gives_the_same_under_every_setting(threads, onednn, precision):
    model = exact_copy(sharpened(SHALLOW))
    codes = some_codes(2, 100, 1024)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        with torch.backends.mkldnn.flags(enabled=onednn):
            tables = faster(model, "cpu").tables(codes)
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(tables, model.tables(codes))


def test_products_are_exact_with_inputs_rounded_to_bfloat16():
    """Few processors have such a product to test with; what counts is that the inputs fit."""
    model = exact_copy(sharpened())
    for name, tensor in model.tensors.items():
        if tensor.dtype == torch.int8:
            floats = tensor.float()
            assert torch.equal(floats.bfloat16().float(), floats), name
    activations = torch.arange(-ACTIVATION, ACTIVATION + 1).float()
    assert torch.equal(activations.bfloat16().float(), activations)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_gives_the_same():
    model = exact_copy(sharpened(PAPER))
    codes = some_codes(2, 300, 1024)
    expected = model.tables(codes)
    for tf32 in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        assert torch.equal(faster(model, "cuda").tables(codes.cuda()), expected)
        assert torch.equal(stepwise(faster(model, "cuda"), codes), expected)
    torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="there is no MPS device")
def test_codes_from_mps_are_taken():
    model = exact_copy(sharpened())
    assert torch.equal(model.tables(some_codes().to("mps")), model.tables(some_codes()))


_SCRIPT = """
import sys, torch
from minicodec.bits.exact import exact_copy
from minicodec.bits.range_coder import decode_codes, encode_codes
from minicodec.bits.exact_fast import faster
sys.path.insert(0, "tests/helpers")
from exact_models import SHALLOW, sharpened, some_codes
model = faster(exact_copy(sharpened(SHALLOW)), {device})
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
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    count, _, answer = result.stdout.strip().partition(" ")
    assert int(count) == threads
    return answer


def test_encoded_with_one_thread_decoded_with_two_and_with_another_library():
    data = run(1, "encode")
    assert run(2, "decode", data, device="'cpu'") == "decoded"


def test_mps_cannot_compute_it(model):
    with pytest.raises(ValueError, match="MPS has no float64"):
        faster(model, "mps")


@given(st.integers(1, 4), st.integers(0, 40), st.integers(0, 3), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_every_model_gives_what_its_plain_statement_gives(n_q, frames, seed, codes_seed):
    plain = _plain(seed)
    codes = some_codes(n_q, frames, seed=codes_seed)
    assert torch.equal(faster(plain).tables(codes), plain.tables(codes))


@functools.cache
def _plain(seed: int) -> ExactLanguageModel:
    return exact_copy(sharpened(seed=seed))


def test_the_plain_statement_and_the_fast_one_decode_each_others_bytes(model):
    plain, codes = exact_copy(sharpened()), some_codes(3, 40)
    data = encode_codes(plain, codes)
    assert data == encode_codes(model, codes)
    assert torch.equal(decode_codes(model, data, 3, 40), codes)
    assert torch.equal(decode_codes(plain, data, 3, 40), codes)
