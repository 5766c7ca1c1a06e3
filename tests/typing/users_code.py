"""The code that users are shown, as files that a type checker can read."""

import ast
import doctest
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "chainrule"

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def source_of(text: str) -> str:
    """Return the code of examples, with or without prompts."""
    if ">>>" not in text:
        return text
    examples = doctest.DocTestParser().get_examples(text)
    return "".join(example.source for example in examples)


def page_code(page: Path) -> str:
    """Return the Python of a page, in one piece: later blocks use what earlier ones defined."""
    blocks = _PYTHON.findall(page.read_text(encoding="utf-8"))
    return "\n".join(map(source_of, blocks))


def docstring_code(module: Path) -> str:
    """Return the examples in a module's docstrings, each in a function of its own."""
    parts = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            texts = [ast.get_docstring(node) or ""]
            # `@documented(examples="…")` of the estimators.
            texts += [
                str(keyword.value.value)
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                for keyword in decorator.keywords
                if keyword.arg == "examples" and isinstance(keyword.value, ast.Constant)
            ]
            code = "".join(source_of(text) for text in texts if ">>>" in text)
            if code:
                body = "".join(f"    {line}\n" if line else "\n" for line in code.splitlines())
                parts.append(f"def example_{node.name}_{node.lineno}() -> None:\n{body}")
    return "\n\n".join(parts)


def public_modules() -> list[Path]:
    """Return the files that public names come from."""
    stub = (PACKAGE / "__init__.pyi").read_text(encoding="utf-8")
    homes = re.findall(r"^from chainrule\.([\w.]+) import", stub, re.MULTILINE)
    found = {PACKAGE.joinpath(*home.split(".")) for home in homes}
    files = set()
    for path in found:
        files |= set(path.glob("*.py")) if path.is_dir() else {path.with_suffix(".py")}
    return sorted(files)


def write_all(folder: Path) -> list[Path]:
    """Write all code that users are shown to files in a folder, and return their paths."""
    pieces = {"readme.py": page_code(ROOT / "README.md")}
    docs = ROOT / "docs"
    for page in sorted(docs.rglob("*.md")):
        if "_build" not in page.parts:
            name = "_".join(page.relative_to(docs).with_suffix("").parts)
            pieces[f"page_{name}.py"] = page_code(page)
    for script in sorted((ROOT / "examples").rglob("*.py")):
        pieces[script.name] = script.read_text(encoding="utf-8")
    for module in public_modules():
        name = "_".join(module.relative_to(PACKAGE).with_suffix("").parts)
        pieces[f"docstrings_{name}.py"] = docstring_code(module)
    written = []
    for name, code in pieces.items():
        if code.strip():
            path = folder / name
            path.write_text(code, encoding="utf-8")
            written.append(path)
    return written
