"""Run a script in a process that ends at the first connection, or look-up of a name, beyond this machine."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """Look at each event of the interpreter."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if host not in LOOPBACK:
        os.write(2, f"a connection to {host}\n".encode())
        os._exit(86)


sys.addaudithook(refuse)
runpy.run_path(sys.argv[1], run_name="__main__")
