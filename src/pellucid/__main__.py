"""The command line as a program: ``pellucid``, or ``python -m pellucid``."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line, from the first import to the last."""
    try:
        from pellucid.cli.main import application

        application(prog_name="pellucid")
    except KeyboardInterrupt:
        print("pellucid: stopped.", file=sys.stderr)
        sys.exit(130)
    finally:
        # nothing is left to be stopped in order: from here on Ctrl-C ends the process at once
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
