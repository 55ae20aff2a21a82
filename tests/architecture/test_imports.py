"""Who may import whom (ARCHITECTURE.md, "Who may import whom")."""

import ast
import subprocess
import sys

import pytest

from tests.architecture.sources import imports, modules

GROUND = {"errors", "names"}
HOME = GROUND | {"settings", "keys", "address"}
ENGINE = {"store", "objects", "jobs", "tuning"}

#: part -> the other parts that it may import; a part that is missing here fails the test.
MAY_IMPORT = {
    "errors": set(),
    "names": {"errors"},
    "settings": GROUND,
    "keys": GROUND,
    "address": GROUND,
    "records": GROUND,
    "store": HOME | {"records"},
    "objects": HOME | {"records"},
    "jobs": HOME | {"records"},
    "wire": HOME,
    "api": HOME | {"records", "wire"} | ENGINE,
    "control": HOME | {"records"} | ENGINE,
    "tuning": GROUND | {"pages"},
    "s3_files": GROUND,
    "pages": GROUND,
    "watching": GROUND,
    "debug": GROUND | {"s3_files", "watching"},
    "profile": GROUND | {"s3_files", "watching", "pages"},
    "vision": GROUND | {"debug", "profile"},
    "serve": GROUND,
    "daemon": HOME,
    "client": HOME | {"daemon", "vision"},
    "service": HOME | {"records", "api", "control", "client", "daemon"} | ENGINE,
    "cli": HOME | {"client", "daemon", "service", "records", "tuning", "debug", "profile", "__init__"},
    "testing": HOME | {"records", "control", "client", "service", "debug", "profile"} | ENGINE,
    "": {"client"},
    "__main__": {"cli"},
}
HEAVY = {"torch", "torchvision", "timm", "optuna", "boto3", "numpy", "PIL", "matplotlib", "pandas", "sagemaker"}


def part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_what_its_part_may(module: str) -> None:
    allowed = MAY_IMPORT[part(module)] | {part(module), ""}
    assert {name for name in imports(module) if part(name) not in allowed} == set()


def test_no_two_modules_import_each_other() -> None:
    graph = {module: {n for n in imports(module) if n not in packages_of(module)} for module in modules()}
    assert [(a, b) for a in graph for b in graph[a] if a in graph[b]] == []


def packages_of(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:n]) for n in range(1, len(parts))}


@pytest.mark.parametrize(
    "module", sorted(m for m in modules() if part(m) in ("control", "jobs", "api", "wire", "store"))
)
def test_the_service_names_no_heavy_library_at_module_level(module: str) -> None:
    top = modules()[module].body
    names = {a.name.split(".")[0] for n in top if isinstance(n, ast.Import) for a in n.names}
    names |= {(n.module or "").split(".")[0] for n in top if isinstance(n, ast.ImportFrom)}
    assert names & HEAVY == set()


def test_importing_the_service_loads_no_heavy_library() -> None:
    code = f"import sys, sagehound.service; print(sorted({HEAVY!r} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_nothing_imports_testing() -> None:
    users = [m for m in modules() if part(m) != "testing" and any(part(n) == "testing" for n in imports(m))]
    assert users == []
