"""A graph as it is written: names, states, and weights that stay in their file."""

import numpy as np
import onnx
import pytest
import torch
from onnx_step import Step
from safetensors.torch import save

from minicodec.model.onnx_graph import END, FLOAT, IR_VERSION, OPSET, Graph, WeightFile


def written(folder, tensors) -> Graph:
    data = save(tensors, {"format": "pt"})
    (folder / "w.safetensors").write_bytes(data)
    return Graph(WeightFile.of("w.safetensors", data))


def finished(folder, graph) -> onnx.ModelProto:
    model = graph.model("x", {"fingerprint": "12"})
    (folder / "x.onnx").write_bytes(model.SerializeToString())
    onnx.checker.check_model(folder / "x.onnx", full_check=True)
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_stay_in_their_file(tmp_path, dtype):
    """Odd sizes before it, so that nothing is where it would be by luck."""
    tensors = {"a": torch.randn(3), "b": torch.randn(5, 7), "c": torch.randn(1)}
    tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    graph = written(tmp_path, tensors)
    x = graph.input("x", FLOAT, ("n", 5))
    y = graph.node("MatMul", x, graph.weight("b"), name="product")
    y = graph.node("Add", y, graph.weight("c"), name="sum")
    graph.output(y, "y", FLOAT, ("n", 7))
    model = finished(tmp_path, graph)
    assert sum(len(tensor.raw_data) for tensor in model.graph.initializer) == 0
    x = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    y, _ = Step(tmp_path / "x.onnx")(x)
    expected = x @ tensors["b"].float().numpy() + tensors["c"].float().numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_weights_in_another_format_are_refused(tmp_path):
    graph = written(tmp_path, {"a": torch.randn(3, dtype=torch.bfloat16)})
    with pytest.raises(ValueError, match="a is stored as BF16, but a graph takes .* F16 or F32"):
        graph.weight("a")


def test_states_stand_behind_the_rest_in_the_same_order(tmp_path):
    graph = written(tmp_path, {})
    x = graph.input("x", FLOAT, (1, 2, "n"))
    for size in (3, 1):
        state = graph.state(1, 2, size)
        x = graph.node("Concat", state.name, x, name="joined", axis=2)
        graph.slice(x, -size, END, name="kept", gives=state.next)
    graph.output(x, "y", FLOAT, (1, 2, "m"))
    model = finished(tmp_path, graph)
    assert [value.name for value in model.graph.input] == ["x", "state_0", "state_1"]
    assert [value.name for value in model.graph.output] == ["y", "next_0", "next_1"]
    assert graph.states[0]._asdict() == {"name": "state_0", "next": "next_0", "shape": (1, 2, 3)}
    assert (model.ir_version, model.opset_import[0].version) == (IR_VERSION, OPSET)
    assert [(p.key, p.value) for p in model.metadata_props] == [("fingerprint", "12")]
    x, states = np.float32([[[5], [6]]]), [np.zeros((1, 2, 3)), np.ones((1, 2, 1))]
    states = [state.astype(np.float32) for state in states]
    y, (first, second) = Step(tmp_path / "x.onnx")(x, states)
    assert y.tolist() == [[[1, 0, 0, 0, 5], [1, 0, 0, 0, 6]]]
    assert first.tolist() == [[[0, 0, 5], [0, 0, 6]]] and second.tolist() == [[[5], [6]]]


def test_equal_constants_are_written_once(tmp_path):
    graph = written(tmp_path, {})
    assert graph.constant([1]) == graph.constant([1])
    others = [graph.constant(v) for v in ([2], [1, 1], np.float32(1), np.ones(1, np.int32))]
    assert len({graph.constant([1]), *others}) == 5
