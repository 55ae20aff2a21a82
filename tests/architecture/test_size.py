"""The size budget (ARCHITECTURE.md, "Size budget")."""

import ast
from statistics import median, quantiles

from tests.architecture.sources import SRC, functions, length, modules


def test_files_are_short() -> None:
    lines = {path: path.read_text().count("\n") for path in SRC.rglob("*.py") if path.name != "__init__.py"}
    assert median(lines.values()) <= 130
    assert {path.name: n for path, n in lines.items() if n > 500} == {}


def test_functions_are_short() -> None:
    lengths = {f"{m}.{f.name}": length(f) for m, tree in modules().items() for f in functions(tree)}
    assert median(lengths.values()) <= 8
    assert quantiles(lengths.values(), n=10)[-1] <= 30
    assert {name: n for name, n in lengths.items() if n > 80} == {}


def test_every_signature_is_annotated() -> None:
    bare = [f"{m}.{f.name}" for m, tree in modules().items() for f in functions(tree) if f.returns is None]
    assert bare == []


def test_every_public_module_and_class_has_a_docstring() -> None:
    bare = []
    for module, tree in modules().items():
        nodes = [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]
        bare += [f"{module}:{getattr(n, 'name', '')}" for n in nodes if not ast.get_docstring(n)]
    assert bare == []


def test_protocols_are_small() -> None:
    """A protocol has at most six methods."""
    big = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(
                ast.unparse(base).split("[")[0] == "Protocol" for base in node.bases
            ):
                methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
                big += [f"{module}.{node.name}"] if len(methods) > 6 else []
    assert big == []
