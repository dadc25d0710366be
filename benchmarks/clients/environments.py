"""The compared clients, each installed in a separate environment."""

import os
import shutil
import subprocess
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FOLDER = CHECKOUT / "benchmarks" / ".environments"

OFFICIAL = "azure-communication-identity==1.5.0"
JAVASCRIPT = "@azure/communication-identity@1.3.1"


def official_python() -> Path:
    """An interpreter with the official package."""
    return _python("official", [OFFICIAL, "aiohttp"], always=False)


def our_python() -> Path:
    """An interpreter with the library of this checkout, as it would be installed from a wheel."""
    return _python("ours", [f"{CHECKOUT}[aio]"], always=True)


def javascript_worker() -> Path | None:
    """The worker beside an installed JavaScript SDK; None without node."""
    if shutil.which("npm") is None:
        return None
    folder = FOLDER / "javascript"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", JAVASCRIPT, cwd=folder)
    worker = folder / "javascript_worker.mjs"
    shutil.copy(HERE / "javascript_worker.mjs", worker)
    return worker


def small_environment(variables: int) -> dict[str, str]:
    """A number of variables. Clients that read all of them per request get slower with each."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    filling = range(variables - len(kept))
    return kept | {f"BENCHMARK_VARIABLE_{number:03d}": "x" * 20 for number in filling}


def _python(name: str, packages: list[str], *, always: bool) -> Path:
    python = FOLDER / name / "bin" / "python"
    is_new = not python.exists()
    if is_new:
        venv.create(FOLDER / name, with_pip=True)
        _run(str(python), "-m", "pip", "install", "--quiet", *packages)
    elif always:
        reinstall = ["--quiet", "--force-reinstall", "--no-deps"]
        _run(str(python), "-m", "pip", "install", *reinstall, *packages)
    return python


def _run(*command: str, cwd: Path | None = None) -> None:
    # Warnings of pip and npm are ignored; failures are not.
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
