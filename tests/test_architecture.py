"""What the import linter cannot see of the house."""

import re
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
    # Beside it, only the text of a trace turns a column vector to print it in one line, and the
    # estimators show W as scikit-learn does: (inputs, outputs). Exports are written as other
    # programs have it.
    elsewhere = [name for name in transposes if not re.search("/(equations|exports)/", name)]
    assert elsewhere == [
        "src/chainrule/engines/passes.py",
        "src/chainrule/inspection/rendering.py",
        "src/chainrule/settings/weights.py",
    ]
