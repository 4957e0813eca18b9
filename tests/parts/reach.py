"""Which SQL a room may send: read from the code, from what it calls in `storage` down to the named statements."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
Name = tuple[str, str]
"""A module of `storage` and a name in it; or a file of `storage/queries` and a statement in it."""


def statements(room: str) -> set[Name]:
    """All (file, statement) that code of a room may come to, and words that are none."""
    found: set[Name] = set()
    todo: list[Name] = []
    modules = [_Module(ast.parse(path.read_text(encoding="utf-8"))) for path in (ROOT / room).rglob("*.py")]
    files = {file for module in modules for file in module.files.values()}  # its modules lend them to each other
    for module in modules:
        todo += module.called(module.tree)
        found |= {(file, word) for file in files for word in _words(module.tree)}
    seen: set[Name] = set()
    while todo:
        name = todo.pop()
        if name not in seen and name[0] in _STORAGE:
            seen.add(name)
            module = _STORAGE[name[0]]
            for body in module.defined.get(name[1], []):
                todo += [*module.called(body), *((name[0], each) for each in module.own(body))]
                found |= module.sent(body)
    return found


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.files: dict[str, str] = {}  # variables that hold a file of statements
        self.modules: dict[str, str] = {}
        self.names: dict[str, Name] = {}
        self.defined: dict[str, list[ast.stmt]] = {}
        for node in tree.body:
            for name in _defines(node):
                self.defined.setdefault(name, []).append(node)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                call = node.value
                if getattr(call.func, "attr", "") == "load" and isinstance(call.args[0], ast.Constant):
                    self.files |= {name: str(call.args[0].value) for name in _defines(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "storage":
                self.modules |= {each.asname or each.name: each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("storage."):
                module = str(node.module).removeprefix("storage.")
                self.names |= {each.asname or each.name: (module, each.name) for each in node.names}

    def called(self, tree: ast.AST) -> Iterator[Name]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in self.names:
                yield self.names[node.id]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.modules:
                yield self.modules[node.value.id], node.attr

    def own(self, tree: ast.AST) -> set[str]:
        return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in self.defined}

    def sent(self, tree: ast.AST) -> set[Name]:
        """Statements asked for by name, and every string that is one where the name is handed on."""
        files = {self.files[node.id] for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in self.files}
        files |= {file for name in self._handed_to(tree) for file in self._files_in(name)}
        return {(file, word) for file in files for word in _words(tree)}

    def _handed_to(self, tree: ast.AST) -> set[str]:
        called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
        return {each.id for each in called if isinstance(each, ast.Name) and each.id in self.defined}

    def _files_in(self, function: str) -> set[str]:
        nodes = (node for body in self.defined[function] for node in ast.walk(body))
        return {self.files[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in self.files}


def _words(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


_STORAGE = {path.stem: _Module(ast.parse(path.read_text(encoding="utf-8"))) for path in (ROOT / "storage").glob("*.py")}
