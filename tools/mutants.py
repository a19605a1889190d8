"""Small wrong changes to a module, one at a time: mutants. `tools/mutation.py` tries tests on them.

A comparison that takes the limit in, a number one larger, a statement that is missing: whoever
changes code by accident changes it so. Left alone is what no test should hold: docstrings,
annotations, imports, and the words and numbers of messages (but that an error is raised is tried).
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.MatMult: ast.Mult,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
BOUNDARY = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """One wrong change."""

    where: str  #: the function or class it is in, as `Codebook.update`
    line: str  #: the line of source as it stands
    change: str  #: what is there → what is there instead
    span: range  #: numbers of the lines of the statement that is wrong
    source: str  #: the whole module with this change

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines move."""
        return self.where, self.line, self.change


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module, from top to bottom.

    >>> for mutant in mutants("def half(x: int) -> int:\\n    return x // 2"):
    ...     print(mutant.change)
    return x // 2 → return None
    x // 2 → x * 2
    2 → 3
    2 → 1
    """
    tree, lines = ast.parse(source), source.splitlines()
    found, seen, imported = [], {ast.unparse(tree)}, _imported(tree)
    for place in list(_places(tree, "", tree)):
        old = place.get()
        for new in _changes(place, old, imported):
            place.put(new)
            text = ast.unparse(tree)
            place.put(old)
            if text in seen:
                continue
            seen.add(text)
            line = lines[place.number - 1].strip()
            change = f"{_told(old)} → {_told(new)}"
            found.append(Mutant(place.where or "module", line, change, place.span, text))
    return found


@dataclass(frozen=True)
class _Place:
    """Where a node hangs in the tree."""

    owner: ast.AST
    field: str
    index: int | None
    where: str
    statement: ast.AST

    def get(self) -> ast.AST:
        value = getattr(self.owner, self.field)
        return value if self.index is None else value[self.index]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.owner, self.field, node)
        else:
            getattr(self.owner, self.field)[self.index] = node

    @property
    def number(self) -> int:
        return getattr(self.get(), "lineno", None) or self.owner.lineno  # type: ignore[attr-defined]

    @property
    def span(self) -> range:
        """Of a compound statement only its head; of a function all: its defaults are made early."""
        first, body = self.statement, getattr(self.statement, "body", None)
        if not isinstance(body, list) or isinstance(first, BOUNDARY):
            return range(first.lineno, first.end_lineno + 1)  # type: ignore[attr-defined]
        return range(first.lineno, max(first.lineno + 1, body[0].lineno))  # type: ignore[attr-defined]


def _places(owner: ast.AST, where: str, statement: ast.AST) -> Iterator[_Place]:
    """Every node below that may be changed, from top to bottom."""
    for field, value in ast.iter_fields(owner):
        if _is_left_alone(owner, field):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST):
                continue
            inside, around = where, statement
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inside = f"{where}.{node.name}".lstrip(".")
            if isinstance(node, ast.stmt):
                around = node
            yield _Place(owner, field, index, inside, around)
            yield from _places(node, inside, around)


def _is_left_alone(owner: ast.AST, field: str) -> bool:
    match owner:
        case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Call(func=ast.Name(id=name)) if name.endswith("Error"):
            return True
        case ast.Call() if _is_warning(owner):
            return True
    return _says_nothing(owner) or field in ("annotation", "returns")


def _is_warning(node: ast.Call) -> bool:
    return ast.unparse(node.func) == "warnings.warn"


def _says_nothing(node: ast.AST) -> bool:
    """A docstring, or `...` where one would stand."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(place: _Place, node: ast.AST, imported: set[str]) -> Iterator[ast.AST]:
    """What might stand there by mistake."""
    if place.field == "decorator_list":
        yield ast.parse("lambda it: it", mode="eval").body
    if place.field in ("test", "ifs") and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]
    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield _with(node, ops=[*ops[:i], other(), *ops[i + 1 :]])
        case ast.BinOp(op=sign) | ast.AugAssign(op=sign):
            yield _with(node, op=ARITHMETIC[type(sign)]())
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BoolOp(op=word, values=values):
            yield _with(node, op=ast.Or() if isinstance(word, ast.And) else ast.And())
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield _with(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.Constant(value=value):
            yield from map(ast.Constant, _other_values(value))
        case ast.Call() if not _is_warning(node):
            yield from _other_calls(node, imported)
        case ast.Slice(lower=low, upper=high):
            yield from (_with(node, lower=new) for new in _beside(low, missing=[1]))
            yield from (_with(node, upper=new) for new in _beside(high, missing=[-1]))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Yield(value=ast.expr() as value):
            yield ast.Yield(ast.Constant(None))
        case ast.Break() | ast.Continue():
            yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()
    if _can_be_missing(node):
        yield ast.Pass()


def _other_values(value: object) -> list:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1]
        case str():
            return [value + "x"]
        case bytes():
            return [value + b"x"]
    return []


def _other_calls(call: ast.Call, imported: set[str]) -> Iterator[ast.AST]:
    """Not called at all, called with its arguments in another order, or with one missing."""
    args, function = call.args, call.func
    plain = not any(isinstance(arg, ast.Starred) for arg in args)
    is_method = isinstance(function, ast.Attribute) and not (
        isinstance(function.value, ast.Name) and function.value.id in imported
    )
    if is_method:
        yield function.value  # type: ignore[attr-defined]
    elif args and plain:
        yield args[0]
    ordered = plain and ast.unparse(function).rpartition(".")[2] not in ("max", "min", "transpose")
    for i in range(len(args) - 1 if ordered else 0):
        yield _with(call, args=[*args[:i], args[i + 1], args[i], *args[i + 2 :]])
    for keyword in call.keywords:
        yield _with(call, keywords=[other for other in call.keywords if other is not keyword])
    if isinstance(function, ast.Name) and function.id == "range":
        for i, arg in enumerate(args):
            for new in _beside(arg):
                yield _with(call, args=[*args[:i], new, *args[i + 1 :]])


def _beside(node: ast.expr | None, missing: list[int] | None = None) -> list[ast.expr]:
    """One more and one less; of a constant that is tried already."""
    if node is None:
        return [ast.Constant(value) for value in missing or []]
    if isinstance(node, ast.Constant):
        return []
    return [ast.BinOp(node, sign, ast.Constant(1)) for sign in (ast.Add(), ast.Sub())]


def _can_be_missing(node: ast.AST) -> bool:
    match node:
        case ast.AnnAssign(value=None) | ast.Return(value=ast.expr()):
            return False
        case ast.Return() | ast.Continue() | ast.Expr() | ast.Assign() | ast.AugAssign():
            return not _says_nothing(node)
    return isinstance(node, ast.AnnAssign | ast.Raise | ast.Delete)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _imported(tree: ast.AST) -> set[str]:
    """Names of modules, or of what comes from them."""
    return {
        (name.asname or name.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }


def _told(node: ast.AST) -> str:
    return "nothing" if isinstance(node, ast.Pass) else ast.unparse(node)
