"""What the import linter cannot see of the house."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def files_naming(pattern: str, folder: str, ending: str) -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob(f"*{ending}")
        if re.search(pattern, path.read_text(encoding="utf-8"))
    )


def test_one_python_file_imports_the_extension() -> None:
    assert files_naming(r"chainrule\._native|import _native", "src", ".py") == [
        "src/chainrule/engines/extension.py"
    ]


def test_one_native_file_names_python() -> None:
    assert files_naming(r"Python\.h|nanobind", "native", "pp") == ["native/module.cpp"]


def test_the_reference_meets_the_equations_at_one_place() -> None:
    transposes = files_naming(r"\.T\b", "src/chainrule", ".py")
    # Beside it, only the LaTeX of a trace turns a column vector to print it in one line, and the
    # estimators show W as scikit-learn does: (inputs, outputs). Exports are written as other
    # programs have it.
    elsewhere = [name for name in transposes if not re.search("/(equations|exports)/", name)]
    assert elsewhere == [
        "src/chainrule/engines/passes.py",
        "src/chainrule/inspection/trace_latex.py",
        "src/chainrule/settings/weights.py",
    ]


def imports_of(path: Path, modules: dict[str, Path]) -> set[str]:
    """Return the modules of the package that a file names in an import, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & modules.keys()) or {node.module}
    return found & modules.keys()


def modules_below(root: Path) -> dict[str, Path]:
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


def first_circle(modules: dict[str, Path], root: str) -> list[str]:
    """Return the modules of a circle of imports; [] if there is none.

    Imports inside functions and under TYPE_CHECKING count: modules that need each other are one
    module in two files. The root alone is left out: it names everything, and loads it when asked.
    """
    graph = {name: imports_of(path, modules) - {root, name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph | {root: set()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_is_part_of_a_circle_of_imports() -> None:
    assert first_circle(modules_below(ROOT / "src" / "chainrule"), "chainrule") == []


def test_a_circle_is_found_inside_a_function_and_among_types_alone(tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("from house.a import x\n")
    (house / "a.py").write_text("def f():\n    from house.b import y\n")
    (house / "b.py").write_text("if TYPE_CHECKING:\n    from house import c\n")
    (house / "c.py").write_text("")
    assert first_circle(modules_below(house), "house") == []
    (house / "c.py").write_text("import house.a\n")
    assert set(first_circle(modules_below(house), "house")) == {"house.a", "house.b", "house.c"}
