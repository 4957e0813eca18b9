"""The command line: one module a group of commands; every error is one sentence on standard error."""

import os
import sys

import typer
from typer.exceptions import TyperException

from lamplighter.errors import Failure

ABORTED = 130
"""Exit code after Ctrl-C, as a shell reports it."""


def main() -> None:
    """Run the command line of this process and exit with its code: 0 success, 1 failure, 2 wrong usage."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        from lamplighter.cli.tree import tree  # takes a while: Ctrl-C meanwhile is no error either

        code = typer.main.get_command(tree)(args=arguments, prog_name="lamplighter", standalone_mode=False)
        sys.stdout.flush()
    except Failure as failure:
        return _say(str(failure), failure.exit_code)
    except TyperException as wrong:
        return _say(_with_hint(wrong), wrong.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _say("Interrupted.", ABORTED)
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _say(_told(error), 1)
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> str:
    """An error of the database, or one that nobody foresaw, as one sentence."""
    import structlog  # heavy, as what follows

    from storage.errors import StorageError

    if isinstance(error, StorageError):
        return f"{str(error).rstrip('.')}. `lamplighter doctor` looks for the cause."
    structlog.get_logger(__name__).debug("unexpected error", exc_info=error)
    details = "LAMPLIGHTER_LOG_LEVEL=debug shows where"
    return f"Lamplighter failed in a way nobody foresaw ({type(error).__name__}: {error}); {details}."


def _with_hint(wrong: TyperException) -> str:
    """The message as one sentence, and where help is to be had."""
    message = " ".join(wrong.format_message().replace("Value error, ", "").split()).rstrip(".")
    context = getattr(wrong, "ctx", None)
    return f"{message}." if context is None else f"{message}: see `{context.command_path} --help`."


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
