"""Support: an ONNX graph as it is written down, node by node, with its weights in a file beside it.

    graph = Graph(weights)
    x = graph.input("x", FLOAT, (1, 16, "frames"))
    y = graph.node("Elu", x, name="layers.2")

A value is known by its name, a string, so code that writes a graph reads like code that runs. The
weights stay where they are: in a checkpoint, of which ONNX is told the offsets. What is stored in
16 bits is cast to 32 in the graph, which whoever opens it does once.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
#: Of the file format; runtimes that know the operators above know this one.
IR_VERSION = 8

FLOAT, INT32 = TensorProto.FLOAT, TensorProto.INT32
#: The end of an axis, for `Graph.slice`.
END = 2**63 - 1
#: Kinds of numbers that a checkpoint may hold.
_STORED = {"F16": TensorProto.FLOAT16, "F32": TensorProto.FLOAT}

#: Sizes of a value's axes; a name stands for a size that differs from call to call.
Shape = Sequence[int | str]


class WeightFile(NamedTuple):
    """A checkpoint as ONNX needs to know it: its name, and what lies where."""

    name: str
    tensors: dict[str, Any]  #: by name: `dtype`, `shape`, and `data_offsets` from `start`
    start: int

    @classmethod
    def of(cls, name: str, data: bytes) -> "WeightFile":
        """Of a safetensors file with this content."""
        size = int.from_bytes(data[:8], "little")
        return cls(name, json.loads(data[8 : 8 + size]), 8 + size)

    def tensor(self, name: str) -> TensorProto:
        """The tensor of this name, by reference.

        Raises:
            ValueError: for numbers in another format than 16 or 32 bits.
        """
        entry = self.tensors[name]
        if entry["dtype"] not in _STORED:
            raise ValueError(
                f"{name} is stored as {entry['dtype']}, but a graph takes weights of F16 or F32: "
                "load the model and save it anew."
            )
        begin, end = entry["data_offsets"]
        tensor = TensorProto(name=name, data_type=_STORED[entry["dtype"]], dims=entry["shape"])
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": self.name, "offset": self.start + begin, "length": end - begin}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class State(NamedTuple):
    """What a step has to be given back at its next call; zeros at the first."""

    name: str  #: of the input
    next: str  #: of the output that becomes that input
    shape: tuple[int, ...]


class Graph:
    """A graph that is being written.

    Args:
        weights: where its weights are.
    """

    def __init__(self, weights: WeightFile):
        self.weights = weights
        self.states: list[State] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._initializers: dict[str, TensorProto] = {}
        self._weights: dict[str, str] = {}  # by name in the checkpoint, the value in 32 bits

    def input(self, name: str, kind: int, shape: Shape) -> str:
        """What the caller gives."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, x: str, name: str, kind: int, shape: Shape) -> None:
        """What the caller gets, under a name for it."""
        self.node("Identity", x, name=name, gives=name)
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def state(self, *shape: int) -> State:
        """A value that the caller carries from call to call; the graph has to compute `next`."""
        number = len(self.states)
        state = State(f"state_{number}", f"next_{number}", shape)
        self.states.append(state)
        return state

    def node(
        self,
        operator: str,
        *inputs: str,
        name: str,
        gives: str | Sequence[str] = "",
        **attributes: Any,
    ) -> str:
        """One operator.

        Args:
            inputs: values it takes; "" for one that is left out.
            name: of the layer it belongs to.
            gives: name of what comes out, or names where several do; else one is made up.

        Returns:
            the name of its first value.
        """
        # Values need names of their own, and a layer may have several nodes of a kind.
        label = f"{name}/{operator}_{len(self._nodes)}"
        outputs = [gives or label] if isinstance(gives, str) else list(gives)
        self._nodes.append(helper.make_node(operator, inputs, outputs, label, **attributes))
        return outputs[0]

    def constant(self, value: Sequence[int] | np.ndarray) -> str:
        """Numbers in the graph itself: whole ones as they are, or an array."""
        array = np.asarray(value)
        key = f"{array.dtype.name}{list(array.shape)}:{array.tolist()}"
        if key not in self._initializers:
            name = f"constant_{len(self._initializers)}"
            self._initializers[key] = numpy_helper.from_array(array, name)
        return self._initializers[key].name

    def weight(self, name: str) -> str:
        """A tensor of the checkpoint, in 32 bits."""
        if name not in self._weights:
            self._initializers[name] = tensor = self.weights.tensor(name)
            stored = tensor.data_type == FLOAT
            self._weights[name] = name if stored else self.node("Cast", name, name=name, to=FLOAT)
        return self._weights[name]

    def slice(
        self, x: str, begin: int, end: int, *, name: str, axis: int = 2, gives: str = ""
    ) -> str:
        """A part of a value along one axis, as Python's slices count; `END` for up to its end."""
        bounds = (self.constant([number]) for number in (begin, end, axis))
        return self.node("Slice", x, *bounds, name=name, gives=gives)

    def model(self, name: str, facts: dict[str, str]) -> onnx.ModelProto:
        """The finished graph, with its states behind the other inputs and outputs.

        Args:
            facts: what its metadata should say.
        """
        before = [helper.make_tensor_value_info(s.name, FLOAT, s.shape) for s in self.states]
        after = [helper.make_tensor_value_info(s.next, FLOAT, s.shape) for s in self.states]
        graph = helper.make_graph(
            self._nodes, name, [*self._inputs, *before], [*self._outputs, *after],
            [*self._initializers.values()],
        )  # fmt: skip
        model = helper.make_model(
            graph,
            producer_name="minicodec",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, facts)
        return model
