"""The command line: one module a group of commands; every error is one sentence on standard error.

What takes long to import is imported in `run`, once Ctrl-C has been provided for.
"""

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from lamplighter import plain_text
from lamplighter.cli import objections, streams
from lamplighter.errors import Failure

if TYPE_CHECKING:
    from typer.exceptions import TyperException

ABORTED = 130
"""Exit code after Ctrl-C, as a shell reports it."""
_INTERRUPTED = "Interrupted."


def main() -> None:
    """Run the command line of this process and exit with its code: 0 success, 1 failure, 2 wrong usage."""
    signal.signal(signal.SIGINT, _interrupt)
    streams.prepare()
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))  # all is said and done, but for a thread perhaps
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        code, sentence, cause = _outcome(arguments)
    except KeyboardInterrupt:
        code, sentence, cause = ABORTED, _INTERRUPTED, None
    try:
        unwritten = streams.unwritten()
    except KeyboardInterrupt:  # who reads our output takes no more of it
        streams.give_up_output()
        code, sentence, unwritten = ABORTED, _INTERRUPTED, None
    if unwritten is not None:
        streams.give_up_output()
        if not isinstance(unwritten, BrokenPipeError):
            code, sentence = 1, f"What this prints cannot be written ({unwritten.strerror})."
        elif isinstance(cause, BrokenPipeError):  # whoever read our output has gone, as `head` does
            code, sentence = 0, ""
    if sentence:
        with suppress(OSError):
            print(plain_text.lines(sentence), file=sys.stderr)
    return code


def _outcome(arguments: list[str]) -> tuple[int, str, BaseException | None]:
    """The exit code; what there is to say, if anything; and the error behind that."""
    import typer  # takes a while
    from typer.exceptions import TyperException

    try:
        from lamplighter.cli.tree import tree

        root = typer.main.get_command(tree)
        code = root(args=arguments, prog_name="lamplighter", standalone_mode=False)
    except Failure as failure:
        return failure.exit_code, str(failure), failure.__cause__
    except TyperException as wrong:
        return wrong.exit_code, _with_hint(wrong, _command(root, arguments)), wrong
    except typer.Abort as abort:
        return ABORTED, _INTERRUPTED, abort
    except SystemExit as end:  # the library's own answer to a reader that has gone
        return 1, "", end.__context__
    except Exception as error:
        return 1, "" if streams.unwritten() else _told(error), error
    return code if isinstance(code, int) else 0, "", None


def _told(error: Exception) -> str:
    """An error of the database, or one that nobody foresaw, as one sentence."""
    import structlog  # heavy, as what follows

    from storage.errors import NotEmpty, RestoreUnfinished, StorageError

    if isinstance(error, NotEmpty | RestoreUnfinished):  # the cause is plain
        return f"{str(error).rstrip('.')}."
    if isinstance(error, StorageError):
        return f"{str(error).rstrip('.')}. `lamplighter doctor` looks for the cause."
    if structlog.is_configured():  # else it would speak on standard output
        structlog.get_logger(__name__).debug("unexpected error", exc_info=error)
    details = "LAMPLIGHTER_LOG_LEVEL=debug shows where"
    return f"Lamplighter failed in a way nobody foresaw ({type(error).__name__}: {error}); {details}."


def _command(found: object, arguments: list[str]) -> str:
    """The command that is called, with the groups above it; the library does not name it with every error."""
    from lamplighter.cli.later import Later

    words = ["lamplighter"]
    for word in arguments:
        found = getattr(found.real() if isinstance(found, Later) else found, "commands", {}).get(word)
        if found is None:
            break
        words.append(word)
    return " ".join(words)


def _with_hint(wrong: "TyperException", command: str) -> str:
    """The message as one sentence, and where help is to be had."""
    import typer
    from pydantic import ValidationError

    cause = wrong.__cause__
    if isinstance(cause, ValidationError) and isinstance(wrong, typer.BadParameter):
        wrong.message = objections.sentence(cause) or wrong.message
    elif isinstance(found := wrong.__context__, OSError) and not isinstance(found, FileNotFoundError):
        wrong.message = f"{found.filename!r} cannot be read ({found.strerror})"  # the library says: does not exist
    message = " ".join(wrong.format_message().replace("Value error, ", "").split()).rstrip(".")
    return f"{message}: see `{command} --help`."


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Ctrl-C: an error that unwinds what is in hand; at once while a module is imported, where it could be lost."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            with suppress(OSError):
                os.write(2, f"{_INTERRUPTED}\n".encode())
            os._exit(ABORTED)
        frame = frame.f_back
    raise KeyboardInterrupt
