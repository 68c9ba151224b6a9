"""Stands for a job that runs as a fork of the ready process: hands it what the job needs, waits, ends as the job ended.

A program, by ``python -IS``: it starts in ten milliseconds as it imports next to nothing.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, script: str) -> None:
    """Have a script run; ``address``: where the ready process listens. Start Python as ever if nobody does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the job has it too, and says how it ends
    asked = {
        "script": script,
        "folder": os.getcwd(),  # noqa: PTH109  # pathlib costs as much as all else here
        "environment": dict(os.environ),
    }
    answer = b""
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(address)
            socket.send_fds(server, [b" "], [0, 1, 2])
            server.sendall(json.dumps(asked).encode() + b"\n")
            while more := server.recv(64):
                answer += more
        except OSError:
            pass
    if not answer:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, script])
    exited, status = map(int, answer[1:].split() or (0, signal.SIGKILL))
    if exited:
        sys.exit(status)
    signal.signal(status, signal.SIG_DFL) if status not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), status)


if __name__ == "__main__":
    main(*sys.argv[1:])
