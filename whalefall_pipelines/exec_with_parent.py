"""The program between us and a child that is to die with us: `processes.dying_with_parent` runs its text in a bare interpreter.

It asks the kernel for a signal on the parent's death and becomes the child. Arguments: the parent's process id, the signal's number, and
the child's command. It may use nothing but the standard library.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the child, in the process that the parent has started and with the signals that a new program begins with.

    A shell starts background jobs with SIGINT ignored, which children inherit; Python itself ignores SIGPIPE and SIGXFSZ.
    """
    parent, death_signal, *command = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):  # it died before it could be asked for
        os.kill(os.getpid(), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 - that is what it is for
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}.")


if __name__ == "__main__":
    main()
