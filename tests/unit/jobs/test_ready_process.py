"""Jobs that start as forks of a process that has imported what they need: each is a process of its own, as ever."""

import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from snakemake.script import PythonScript

from recovery_microglia.jobs.ready_process import ADDRESS, CLIENT, ReadyProcess, start_jobs_from

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes start so on Linux only")
FACTS = "import os, sys\nprint('colorsys' in sys.modules, sys.argv, os.getcwd(), os.environ.get('ASKED'), __name__)\n"

type Start = Callable[..., subprocess.Popen[str]]


def in_folder(folder: Path, modules: list[str]) -> ReadyProcess:
    (folder / ".snakemake").mkdir(exist_ok=True)
    return ReadyProcess(modules)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def for_all(folder: Path) -> Iterator[ReadyProcess]:
    with pytest.MonkeyPatch.context() as there:
        there.chdir(folder)
        process = in_folder(folder, ["colorsys"])
        assert process.is_there()
    yield process
    process.end()


@pytest.fixture
def ready(folder: Path, for_all: ReadyProcess, monkeypatch: pytest.MonkeyPatch) -> ReadyProcess:
    """One for all tests of this file, which stand in its folder."""
    monkeypatch.chdir(folder)
    return for_all


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a job that runs some code."""
    jobs: list[subprocess.Popen[str]] = []

    def begin(code: str, **environment: str) -> subprocess.Popen[str]:
        script = tmp_path / "job.py"
        script.write_text(code)
        command = [sys.executable, "-IS", str(CLIENT), str(ADDRESS), str(script)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        jobs.append(subprocess.Popen(command, **streams, text=True, env=os.environ | environment))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.kill()
        job.communicate()


@pytest.mark.usefixtures("ready")
def test_a_job_has_its_own_arguments_folder_environment_and_streams(start: Start, tmp_path: Path, folder: Path) -> None:
    out, wrong = start(f"{FACTS}print('apart', file=sys.stderr)", ASKED="yes").communicate()
    assert out == f"True ['{tmp_path / 'job.py'}'] {folder} yes __main__\n"
    assert wrong == "apart\n"


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('in words')", 1, "in words\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os; os.abort()", -6, ""),
        ("import atexit; atexit.register(lambda: print('closed', file=__import__('sys').stderr))", 0, "closed\n"),
    ],
)
def test_it_ends_as_it_would_alone(start: Start, code: str, status: int, told: str) -> None:
    job = start(code)
    _, wrong = job.communicate()
    assert job.returncode == status
    assert told in wrong
    assert start("").wait() == 0  # and the next one starts


@pytest.mark.usefixtures("ready")
def test_jobs_run_at_once_and_leave_nothing_to_each_other(start: Start) -> None:
    first = start(
        "import builtins; builtins.mine = 1; print('there', flush=True); input_ = __import__('time').sleep(30)"
    )
    assert first.stdout
    assert first.stdout.readline() == "there\n"
    out, _ = start("import builtins; print(hasattr(builtins, 'mine'))").communicate()
    assert out == "False\n"
    assert first.poll() is None
    first.kill()


def gone(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


@pytest.mark.usefixtures("ready")
def test_who_kills_what_stands_for_the_job_kills_the_job(start: Start) -> None:
    job = start("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    assert job.stdout
    process = int(job.stdout.readline())
    assert process != job.pid
    assert not gone(process)
    job.kill()
    end = time.monotonic() + 20
    while not gone(process):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_ctrl_c_reaches_the_job(ready: ReadyProcess, start: Start) -> None:
    code = "import os, time\ntry:\n  print(os.getpid(), flush=True)\n  time.sleep(60)\nexcept KeyboardInterrupt:\n  raise SystemExit(130)"
    job = start(code)
    assert job.stdout
    os.kill(int(job.stdout.readline()), signal.SIGINT)
    job.send_signal(signal.SIGINT)
    assert job.wait() == 130
    assert ready.is_there()


def test_it_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    monkeypatch.chdir(tmp_path)
    process = in_folder(tmp_path, ["colorsys"])
    assert process.is_there()
    assert start("").wait() == 0
    process.end()
    assert not process.is_there()


@pytest.mark.usefixtures("ready")
def test_the_system_calls_it_by_its_step(start: Start) -> None:
    out, _ = start("print(open('/proc/self/comm').read())").communicate()
    assert out.split() == ["job"]


@pytest.mark.parametrize("modules", [["no_such_module"], ["colorsys"]])
def test_without_it_jobs_start_python_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start, modules: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """A process that cannot import, and a folder in which it cannot listen."""
    monkeypatch.chdir(tmp_path)
    process = in_folder(tmp_path, modules)
    if modules == ["colorsys"]:
        (tmp_path / ".snakemake").rmdir()
    process.is_there()
    out, _ = start(FACTS).communicate()
    assert out.startswith("False ['")
    process.end()
    assert ("no_such_module" in capfd.readouterr().err) == (modules == ["no_such_module"])


class Script:
    """As Snakemake's own, as far as it is asked."""

    container_img = conda_env = env_modules = None
    threads = 1

    def __init__(self, **others: object) -> None:
        vars(self).update(others)
        self.ran = ""

    def _execute_cmd(self, *_: object, **__: object) -> None:
        self.ran = "fork"


@pytest.mark.parametrize(
    ("other", "way"),
    [({}, "fork"), ({"conda_env": "e"}, "own"), ({"container_img": "i"}, "own"), ({"threads": 2}, "fork")],
)
def test_scripts_of_other_environments_start_as_ever(
    ready: ReadyProcess, monkeypatch: pytest.MonkeyPatch, other: dict[str, object], way: str
) -> None:
    def usual(script: Script, _fname: str, _edit: bool = False) -> None:
        script.ran = "own"

    monkeypatch.setattr(Script, "execute_script", usual, raising=False)
    start_jobs_from(ready, Script)
    script = Script(**other)
    Script.execute_script(script, "job.py")
    assert script.ran == way


def test_snakemakes_class_is_as_it_is_expected(ready: ReadyProcess) -> None:
    class Other:
        """Of a version to come."""

    start_jobs_from(ready, Other)
    assert not hasattr(Other, "execute_script")
    here = inspect.signature(PythonScript.execute_script)
    assert list(here.parameters)[1:] == ["fname", "edit"]
    own = {"container_img", "conda_env", "env_modules"}
    assert own <= set(inspect.signature(PythonScript.__init__).parameters)
    assert callable(PythonScript._execute_cmd)
