"""The two ways in which a command ends badly, each said in one sentence on standard error."""


class Failure(Exception):
    """The work could not be done (exit code 1). The message is one sentence that names the mend."""

    exit_code = 1


class WrongUsage(Failure):
    """The command line or a setting is wrong (exit code 2). The message names what, and the mend."""

    exit_code = 2
