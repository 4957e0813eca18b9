"""Commands whose modules are imported once they are called: `lamplighter --help` reads their words."""

import ast
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def branch(later: Mapping[str, str]) -> type[TyperGroup]:
    """A kind of group that has more commands than its own.

    Args:
        later: of each command its name and where it is, as `module.name`: in a module of this package a function, or
            a `Typer` for a group.
    """

    class Branch(TyperGroup):
        """A group of commands, some of which are imported once they are called."""

        def __init__(self, **terms: Any) -> None:
            super().__init__(**terms)
            self.commands.update({name: Later(name, place) for name, place in later.items()})

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            found = super().get_command(ctx, cmd_name)
            if isinstance(found, Later):
                found.help = found.words()
            return found

    return Branch


class Later(TyperCommand):
    """Stands for a command until that is called."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(name)
        self._module, self._name = place.split(".")

    def words(self) -> str:
        """What its function's docstring or its `Typer`'s `help` says, read from the source."""
        source = Path(__file__).with_name(f"{self._module}.py").read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == self._name:
                return ast.get_docstring(node) or ""
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == self._name:
                assert isinstance(node.value, ast.Call)
                said = {word.arg: word.value for word in node.value.keywords}
                return str(ast.literal_eval(said["help"]))
        raise LookupError(f"{self._module} has no {self._name}")

    def real(self) -> Any:
        """The command itself, imported."""
        found = getattr(import_module(f"{__package__}.{self._module}"), self._name)
        command: Any
        if isinstance(found, typer.Typer):
            command = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command()(found)
            command = typer.main.get_command(alone)
        command.name = self.name
        return command

    def make_context(self, *terms: Any, **more: Any) -> Any:
        """The context in which the command itself runs."""
        return self.real().make_context(*terms, **more)


def grown(command: Any) -> Any:
    """A command and all that are below it, imported."""
    whole = command.real() if isinstance(command, Later) else command
    if isinstance(whole, TyperGroup):
        whole.commands = {name: grown(each) for name, each in whole.commands.items()}
    return whole
