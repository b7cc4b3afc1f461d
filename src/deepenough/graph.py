"""An ONNX graph while it is drawn: values have numbers, nodes stand in order; no package is needed until it is made.

Needs that this module answers:

* Whoever draws a part (an encoding, trees, a net) knows only this page: no learner imports `onnx`.
* Columns may have any name, also one that an inner value could have: the two never share a name.
* Several members of a blend take the same columns: each is an input once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.errors import ModelError

OPSET, ML_OPSET, IR = 17, 3, 8
"""Of 2022, so that runtimes which are years old read it."""
ML = "ai.onnx.ml"


class Value(str):
    """What a node gave, or an input, or a constant."""


class Graph:
    """Nodes in the order in which they are drawn."""

    def __init__(self) -> None:
        self._count = 0
        self._nodes: list[tuple[str, list[Value], list[Value], str, dict[str, Any]]] = []
        self._constants: list[tuple[Value, np.ndarray]] = []
        self._inputs: dict[str, tuple[Value, str]] = {}
        self._outputs: list[tuple[str, Value, np.dtype[Any], int]] = []

    def number(self, column: str) -> Value:
        """A column of numbers as an input: float64, shape (n, 1), NaN where missing."""
        return self._input(column, "number")

    def words(self, column: str) -> Value:
        """A column of words as an input: strings, shape (n, 1), empty where missing."""
        return self._input(column, "words")

    def _input(self, column: str, form: str) -> Value:
        value, known = self._inputs.setdefault(column, (self._new(), form))
        if known != form:
            raise ModelError(f"Its members read the column {column!r} as {known} and as {form}: it can't be exported.")
        return value

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """An array that is part of the graph."""
        value = self._new()
        self._constants.append((value, np.asarray(array, dtype=dtype)))
        return value

    def put(self, operator: str, *inputs: Value, domain: str = "", **attributes: Any) -> Value:
        """A node; gives its output."""
        value = self._new()
        self._nodes.append((operator, list(inputs), [value], domain, attributes))
        return value

    def put_two(self, operator: str, *inputs: Value, **attributes: Any) -> tuple[Value, Value]:
        """A node with two outputs."""
        one, two = self._new(), self._new()
        self._nodes.append((operator, list(inputs), [one, two], "", attributes))
        return one, two

    def joined(self, parts: Sequence[Value], axis: int = 1) -> Value:
        """Values side by side."""
        return parts[0] if len(parts) == 1 else self.put("Concat", *parts, axis=axis)

    def cast(self, value: Value, dtype: Any) -> Value:
        """The same values in another type."""
        return self.put("Cast", value, to=_CODES[np.dtype(dtype)])

    def gather(self, array: Any, places: Value, axis: int = 0) -> Value:
        """Entries of a constant array."""
        return self.put("Gather", self.constant(array), places, axis=axis)

    def columns(self, value: Value, places: Iterable[int]) -> Value:
        """Some columns of a matrix."""
        return self.put("Gather", value, self.constant(list(places), np.int64), axis=1)

    def total(self, value: Value, axis: int, keep: bool = False) -> Value:
        """Sums along an axis."""
        return self.put("ReduceSum", value, self.constant([axis], np.int64), keepdims=int(keep))

    def shaped(self, value: Value, shape: Sequence[int]) -> Value:
        """The same values in another shape; one length may be -1."""
        return self.put("Reshape", value, self.constant(list(shape), np.int64))

    def repeated(self, row: np.ndarray) -> Value:
        """The same row for every row of the inputs. row: shape (1, width)."""
        value, _ = next(iter(self._inputs.values()))
        rows = self.put("Gather", self.put("Shape", value), self.constant([0], np.int64), axis=0)
        wide = self.put("Concat", rows, self.constant([row.shape[1]], np.int64), axis=0)
        return self.put("Expand", self.constant(row, np.float64), wide)

    def answer(self, name: str, value: Value, dtype: Any, width: int) -> None:
        """An output, shape (n, width); width 0: shape (n,)."""
        self._outputs.append((name, value, np.dtype(dtype), width))

    def _new(self) -> Value:
        self._count += 1
        return Value(self._count)

    @property
    def inputs(self) -> Mapping[str, str]:
        """By column `number` or `words`."""
        return {column: form for column, (_, form) in self._inputs.items()}

    def outputs(self) -> list[str]:
        """Names of the outputs, in order: as asked for, with a `_` behind where a column has that name."""
        names: list[str] = []
        for name, *_ in self._outputs:
            while name in self._inputs or name in names:
                name += "_"
            names.append(name)
        return names

    def made(self, facts: Mapping[str, str]) -> Any:
        """The `onnx.ModelProto`, checked. facts: its metadata. Raises ModelError where a name is no Unicode text."""
        from onnx import checker, helper, numpy_helper

        name = self._names()
        try:
            constants = [numpy_helper.from_array(array, name(value)) for value, array in self._constants]
            drawn = helper.make_graph(self._made_nodes(name), "deepenough", *self._made_ends(), constants)
            opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
            model = helper.make_model(drawn, opset_imports=opsets, ir_version=IR, producer_name="deepenough")
            helper.set_model_props(model, dict(facts))
        except UnicodeEncodeError as error:
            raise ModelError("A column's or a level's name is no Unicode text, so no ONNX file can hold it.") from error
        checker.check_model(model)
        return model

    def _names(self) -> Callable[[Value], str]:
        """What each value is called: inputs like their columns, all others as no column and no output is."""
        taken, prefix = [*self._inputs, *self.outputs()], "v"
        while any(name.startswith(prefix) for name in taken):
            prefix += "_"
        called = {value: column for column, (value, _) in self._inputs.items()}
        return lambda value: called.get(value, f"{prefix}{value}")

    def _made_nodes(self, name: Callable[[Value], str]) -> list[Any]:
        from onnx import helper

        nodes = [
            helper.make_node(operator, [*map(name, inputs)], [*map(name, outputs)], domain=domain, **attributes)
            for operator, inputs, outputs, domain, attributes in self._nodes
        ]
        answers = zip(self.outputs(), self._outputs, strict=True)
        return nodes + [helper.make_node("Identity", [name(value)], [output]) for output, (_, value, *_) in answers]

    def _made_ends(self) -> tuple[list[Any], list[Any]]:
        """The inputs and the outputs with their types and shapes."""
        from onnx import helper

        types = {"number": _CODES[np.dtype(np.float64)], "words": _CODES[np.dtype(object)]}
        inputs = [
            helper.make_tensor_value_info(column, types[form], ["rows", 1])
            for column, (_, form) in self._inputs.items()
        ]
        outputs = [
            helper.make_tensor_value_info(output, _CODES[dtype], ["rows", *([width] if width else [])])
            for output, (*_, dtype, width) in zip(self.outputs(), self._outputs, strict=True)
        ]
        return inputs, outputs


_CODES = {
    np.dtype(np.float32): 1,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
    np.dtype(object): 8,
    np.dtype(bool): 9,
    np.dtype(np.float64): 11,
}
"""ONNX's numbers for types of elements (`TensorProto.DataType`)."""
