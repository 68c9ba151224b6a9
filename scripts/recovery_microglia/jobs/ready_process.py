"""A process that has imported what jobs import, and from which the jobs of a run start.

To import pandas, anndata and numba costs more than the work on a small library. The first job of a run starts a process that
imports them once; each job is a fork of it, and a process of its own as ever: it ends, fails and is killed for itself. Where
that cannot be (another system than Linux, a conda environment or a container for each rule), jobs start Python as ever.
"""

import atexit
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from recovery_microglia.core.genes import known_symbols
from recovery_microglia.jobs import ready_client
from recovery_microglia.jobs.interrupts import plain_interrupts

ADDRESS = Path(".snakemake/jobs.socket")
"""Where the process listens, in the folder of a run: a short path, as sockets want it."""
CLIENT = Path(ready_client.__file__)
SCRIPTS = Path(__file__).resolve().parents[2]
STARTED = b"+"
END_WITH_PARENT, NAME = 1, 15
"""Of Linux's prctl: PR_SET_PDEATHSIG, PR_SET_NAME."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")}
"""What Snakemake tells jobs of one thread, and libraries want to know when they are imported; a job of two forks for itself."""


class ReadyProcess:
    """The process, as the run sees it.

    Parameters
    ----------
    modules
        What it imports.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = list(modules)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def is_there(self) -> bool:
        """Return whether jobs can start from it; the first that asks starts it."""
        with self._lock:
            if self._process is None:
                self._process = self._start()
                atexit.register(self.end)
            return self._process.poll() is None

    def end(self) -> None:
        """End it, and count what it cost."""
        if self._process is not None:
            self._process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        code = "\n".join(
            [
                "import runpy, sys",
                f"sys.path.append({str(SCRIPTS)!r})",
                "from recovery_microglia.jobs.ready_process import next_script",
                "runpy.run_path(next_script(int(sys.argv[1]), sys.argv[2:]), run_name='__main__')",
            ]
        )
        with socket.socket(socket.AF_UNIX) as door:
            with suppress(OSError):
                ADDRESS.unlink()
            try:
                door.bind(str(ADDRESS))
                ADDRESS.chmod(0o600)
                door.listen(64)
            except OSError:
                code = "raise SystemExit"  # a disk that knows no sockets
            return subprocess.Popen(
                [sys.executable, "-P", "-c", code, str(door.fileno()), *self._modules],
                stdin=subprocess.PIPE,  # closes when the run ends, however it ends
                pass_fds=[door.fileno()],
                env=os.environ | ONE_THREAD,
            )


def start_jobs_from(process: ReadyProcess, kind: Any) -> None:
    """Have Snakemake start the scripts of its rules from a ready process; on Linux only.

    ``kind`` is Snakemake's own class for scripts in Python (`snakemake.script.PythonScript`); one that is not as expected is left as it is.
    """
    usual = getattr(kind, "execute_script", None)
    if usual is None or not hasattr(kind, "_execute_cmd"):
        return

    def execute_script(script: Any, fname: str, edit: bool = False) -> None:
        elsewhere = script.container_img or script.conda_env or script.env_modules
        if elsewhere or not process.is_there():
            usual(script, fname, edit)
        else:
            command = [sys.executable, "-IS", str(CLIENT), str(ADDRESS), fname]
            script._execute_cmd("{command:q}", command=command)

    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        kind.execute_script = execute_script


class _Server:
    """What the process does: fork for a job that is asked for, tell its client how it ended."""

    def __init__(self, door: int) -> None:
        self._interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every job by itself
        self._pid = os.getpid()
        self._waits = selectors.DefaultSelector()
        self._door = socket.socket(fileno=door)
        self._clients: dict[int, socket.socket] = {}  # the handle of a job's process to who waits for its end
        self._waits.register(self._door, selectors.EVENT_READ, self._begin)
        self._waits.register(0, selectors.EVENT_READ, self._close)
        self._closing = False

    def next_script(self) -> str:
        """Return, in a fork, the path of the script of a job; in the process itself only by `SystemExit`."""
        while self._clients or not self._closing:
            for key, _ in self._waits.select():
                if script := key.data():
                    return str(script)
        raise SystemExit

    def _close(self) -> None:
        self._closing = True
        self._waits.unregister(0)
        self._waits.unregister(self._door)

    def _begin(self) -> str | None:
        client, _ = self._door.accept()
        received, streams, _, _ = socket.recv_fds(client, 65536, 3)
        while received and not received.endswith(b"\n") and (more := client.recv(65536)):
            received += more
        if not received.endswith(b"\n"):  # killed meanwhile
            client.close()
            return None
        process = os.fork()
        if process:
            for stream in streams:
                os.close(stream)
            handle = os.pidfd_open(process)
            self._clients[handle] = client
            self._waits.register(handle, selectors.EVENT_READ, lambda: self._end(handle))
            self._waits.register(client, selectors.EVENT_READ, lambda: self._kill(handle))
            with suppress(OSError):
                client.sendall(STARTED)
            return None
        client.close()
        return self._become(json.loads(received), streams)

    def _become(self, asked: dict[str, Any], streams: list[int]) -> str:
        """Turn a fork into the process that its client would have been; return the script."""
        linux = ctypes.CDLL(None)
        linux.prctl(END_WITH_PARENT, signal.SIGKILL)
        linux.prctl(NAME, Path(asked["script"]).stem.rpartition(".")[2].encode())  # what top calls it: library
        if os.getppid() != self._pid:
            os._exit(1)
        self._waits.close()
        self._door.close()
        for handle, other in self._clients.items():
            os.close(handle)
            other.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        plain_interrupts()
        signal.signal(signal.SIGINT, self._interrupt)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = [asked["script"]]
        return str(asked["script"])

    def _end(self, handle: int) -> None:
        ended = os.waitid(os.P_PIDFD, handle, os.WEXITED)
        if ended is not None:
            self._waits.unregister(handle)
            client = self._clients.pop(handle)
            os.close(handle)
            if client in self._waits.get_map():
                self._waits.unregister(client)
            with suppress(OSError), client:
                client.sendall(b"%d %d" % (ended.si_code == os.CLD_EXITED, ended.si_status))

    def _kill(self, handle: int) -> None:
        """Kill a job whose client was killed."""
        self._waits.unregister(self._clients[handle])
        signal.pidfd_send_signal(handle, signal.SIGKILL)


def next_script(door: int, modules: Sequence[str]) -> str:
    """Import, then fork for each job that is asked for at the door; return the path of its script, in the fork.

    The process itself ends when its standard input is closed and no job is at work.
    """
    import scipy.sparse as sp

    from recovery_microglia.core.kernels import row_sums

    server = _Server(door)
    for name in modules:
        import_module(name)
    known_symbols("mouse"), known_symbols("human")  # read once
    row_sums(
        sp.csr_matrix((1, 1), dtype=np.int32)
    )  # at the first call of a compiled function numba imports as much again
    gc.freeze()  # what is there stays where forks share it
    return server.next_script()
