"""Mutants: every small slip that can be made mechanically in a piece of Python, one at a time. Standard library only.

Nobody chooses them and nobody looks at them one by one, so that what a test finds among them says more about it than bugs that were picked.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One slip. place: the class and method; before, after: the expression or statement, as Python writes it.

    number: of those that read alike; node: its number in the method; replacement: what stands there instead; module: without the slip.
    """

    place: str
    before: str
    after: str
    number: int
    node: int
    replacement: ast.AST
    module: ast.Module

    @property
    def name(self) -> str:
        """The same as long as the line is: "CrossEntropy.exp_sum: problem.logits - largest -> problem.logits + largest"."""
        which = f" (no. {self.number})" if self.number > 1 else ""
        return f"{self.place}: {self.before} -> {self.after}{which}"

    @property
    def owner(self) -> str:
        """The class."""
        return self.place.partition(".")[0]

    def tree(self) -> ast.Module:
        """The module with the slip in it."""
        changed = copy.deepcopy(self.module)
        function = dict(_methods(changed))[self.place]
        target = list(_mutable(function))[self.node]
        _Replace(target, self.replacement).visit(function)
        return ast.fix_missing_locations(changed)


def mutations(source: str) -> Iterator[Mutation]:
    """All mutations of a module's classes, in the order of the source."""
    tree = ast.parse(source)
    seen: dict[tuple[str, str, str], int] = {}
    for place, function in _methods(tree):
        for index, node in enumerate(_mutable(function)):
            for replacement in _replacements(node):
                before, after = _short(node), _short(replacement)
                key = place, before, after
                if before != after:
                    seen[key] = seen.get(key, 0) + 1
                    yield Mutation(place, before, after, seen[key], index, replacement, tree)


def _methods(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            for member in statement.body:
                if isinstance(member, ast.FunctionDef):
                    yield f"{statement.name}.{member.name}", member


def _mutable(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a body in a fixed order; annotations, messages of exceptions, docstrings and asserts are left alone."""
    pending: list[ast.AST] = list(reversed([statement for statement in function.body if not _is_text(statement)]))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Assert | ast.JoinedStr):
            continue
        yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.AnnAssign):
            children.remove(node.annotation)
        if isinstance(node, ast.Raise):
            children = []
        pending.extend(reversed(children))


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target = target
        self.replacement = replacement

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            return ast.copy_location(copy.deepcopy(self.replacement), node)
        return super().generic_visit(node)


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


# ---- what may go wrong with one node

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NAMES = {
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "ones": ("zeros",),
    "ones_like": ("zeros_like",),
    "exp": ("exp2", "expm1"),
    "log": ("log2", "log1p"),
    "max": ("min",),
    "min": ("max",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "sum": ("max", "mean"),
    "float64": ("float32",),
    "float32": ("float16",),
    "int64": ("int32", "int8"),
    "isinf": ("isnan",),
    "rows": ("classes",),
    "classes": ("rows",),
    "hard": ("smooth",),
    "smooth": ("hard",),
    "raw_labels": ("labels",),
    "labels": ("raw_labels",),
}


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    for kind, rule in _RULES.items():
        if isinstance(node, kind):
            yield from rule(node)


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    for operator in ARITHMETIC.get(type(node.op), ()):
        yield ast.BinOp(node.left, operator(), node.right)
    yield node.left
    yield node.right


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS.get(type(operator), ()):
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _logic(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    yield from node.values


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _choice(node: ast.IfExp) -> Iterator[ast.AST]:
    yield node.body
    yield node.orelse


def _branch(node: ast.If) -> Iterator[ast.AST]:
    yield ast.If(ast.Constant(value=True), node.body, node.orelse)
    yield ast.If(ast.Constant(value=False), node.body, node.orelse)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name == "where":
        condition, chosen, other = node.args
        yield ast.Call(node.func, [condition, other, chosen], [])
        yield chosen
        yield other
    elif isinstance(node.func, ast.Attribute) and name in ("astype", "reshape"):
        yield node.func.value
    for place, keyword in enumerate(node.keywords):
        if keyword.arg in ("keepdims", "initial"):
            yield ast.Call(node.func, node.args, node.keywords[:place] + node.keywords[place + 1 :])


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    for other in NAMES.get(node.attr, ()):
        yield ast.Attribute(node.value, other, node.ctx)


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        for other in NAMES.get(node.id, ()):
            yield ast.Name(other, node.ctx)


def _statement(node: ast.Expr) -> Iterator[ast.AST]:
    """A call for its effect, such as a check, is left out."""
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


_RULES: dict[type[ast.AST], Callable[..., Iterator[ast.AST]]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _comparison,
    ast.BoolOp: _logic,
    ast.Constant: _constant,
    ast.IfExp: _choice,
    ast.If: _branch,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Name: _name,
    ast.Expr: _statement,
}
