"""The entry point of `vbench` and `python -m vbench_lite`.

If a library of the command line is missing, it prints how to install it.
"""

from __future__ import annotations

import shlex
import sys
import traceback


def main() -> None:
    try:
        from vbench_lite.cli import main as program
    except ImportError as error:
        last = [*traceback.walk_tb(error.__traceback__)][-1][0]
        name = (error.name or str(last.f_globals["__name__"])).split(".")[0]
        if name in ("", "vbench_lite"):
            raise
        command = shlex.join([sys.executable, "-m", "pip", "install", name])
        sys.exit(f"Error: {name} cannot be imported: {error}. Fix: {command}")
    program()


if __name__ == "__main__":
    main()
