"""How a command ends that is interrupted, or whose output nobody takes: quietly, or with one sentence."""

import subprocess
import sys

import pytest

INTERRUPTED_IN_IMPORT = """
import importlib.abc, os, signal, sys
interrupted = sys.argv.pop(1)

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == interrupted:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from lamplighter.cli import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "lamplighter.cli.tree", "uvloop"])
def test_ctrl_c_while_modules_are_imported_is_quiet(module: str) -> None:
    """It showed a traceback: what takes long was imported before anything was ready for a signal."""
    command = [sys.executable, "-c", INTERRUPTED_IN_IMPORT, module, "token", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        ("> /dev/full", 1, "What this prints cannot be written (No space left on device).\n"),
        (">&-", 1, "What this prints cannot be written (Bad file descriptor).\n"),
        ("| true", 0, ""),
    ],
)
def test_output_that_cannot_be_written_is_one_sentence(output: str, code: int, said: str) -> None:
    """A full disk was an error "that nobody foresaw", a closed output an abort of the event loop."""
    line = f"set -o pipefail; {sys.executable} -m lamplighter --help {output}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)
