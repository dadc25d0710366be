"""Runs cosmic-ray: changes the code in many small ways, and reports changes that no test notices.

    python tools/mutation.py                     all modules of tools/mutation.yaml
    python tools/mutation.py signing retries     the modules with these words in their paths

Each module runs against its own tests, in a copy of the repository, with a time limit per mutant.
Survivors are printed. Those in tools/equivalent_mutants.yaml do not count. The exit code is 1 if
less than 95 % of the others are killed, or if an entry of that file is outdated.
"""

import argparse
import ast
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import yaml
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "tools" / "mutation.yaml"
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.yaml"
REQUIRED = 0.95

Change = tuple[str, str, str]
"""A module, a line of it, and the line in a mutant."""


class Report(NamedTuple):
    """What became of the mutants of a module."""

    module: str
    killed: int
    survivors: list[Change]
    equivalent: list[Change]


def main(arguments: list[str] | None = None) -> int:
    """Runs the modules that the arguments name.

    :return: The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="a part of a module's path")
    parser.add_argument("--list", action="store_true", help="print the modules and their tests")
    options = parser.parse_args(arguments)
    configuration = yaml.safe_load(CONFIGURATION.read_text("utf-8"))
    if not options.words and (wrong := mistakes(configuration)):
        print(f"{CONFIGURATION.name} does not list, or lists without need:", *wrong, sep="\n  ")
        return 2
    chosen = [
        (module, tests)
        for module, tests in modules(configuration)
        if not options.words or any(word in module for word in options.words)
    ]
    if options.list:
        print(*(f"{module}: {' '.join(tests)}" for module, tests in chosen), sep="\n")
        return 0
    equivalent = equivalent_mutants()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        copy_repository(tree)
        reports = []
        for module, tests in chosen:
            with forked_pytest(module, tree, configuration) as pytest:
                command, operators = pytest + tests, configuration["operators"]
                reports.append(run(module, tree, command, operators, equivalent))
            print(*lines_of(reports[-1]), sep="\n", flush=True)
    return conclusion(reports, equivalent)


def modules(configuration: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The modules of the configuration, each with the arguments of pytest that run its tests."""
    for folder, tests_of in configuration["tests"].items():
        for name, tests in tests_of.items():
            yield f"{folder}/{name}.py", tests


def mistakes(configuration: dict[str, Any]) -> list[str]:
    """The modules that the configuration does not list, and files that do not exist."""
    listed = dict(modules(configuration))
    known = {*listed, *configuration["without_mutants"]}
    found = {
        str(path.relative_to(ROOT))
        for folder in configuration["mutated"]
        for path in (ROOT / folder).rglob("*.py")
        if "_generated" not in path.parts
    }
    files = {file for tests in listed.values() for file in tests if not file.startswith("--")}
    return sorted(known ^ found) + [name for name in sorted(files) if not (ROOT / name).exists()]


def equivalent_mutants() -> set[Change]:
    """The mutants that behave like the original code.

    An empty mutant stands for all of its line, and ``*`` for all modules.
    """
    entries = yaml.safe_load(EQUIVALENT.read_text("utf-8"))
    return {(entry["module"], entry["line"], entry.get("mutant", "")) for entry in entries}


def copy_repository(to: Path) -> None:
    """Copies all files that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


@contextmanager
def forked_pytest(module: str, tree: Path, configuration: dict[str, Any]) -> Iterator[list[str]]:
    """Starts the server of forked_pytest.py for the tests of a module, and stops it.

    :return: The command that runs pytest in a fork of it.
    """
    program, address = str(ROOT / "tools" / "forked_pytest.py"), str(tree.parent / "pytest.socket")
    preloaded = configuration["preloaded"] + configuration["preloaded_for"][Path(module).parts[0]]
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",  # two mutants within a second may have the same size
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the plugins that tests need are options
        "PYTHONPATH": os.pathsep.join(str(tree / name) for name in ("", "emulator")),
    }
    command = [sys.executable, program, "serve", address, *preloaded]
    with subprocess.Popen(command, cwd=tree, env=environment) as server:
        try:
            while not Path(address).exists() and server.poll() is None:
                time.sleep(0.05)
            yield [sys.executable, "-I", "-S", program, "run", address, *configuration["pytest"]]
        finally:
            server.terminate()
            Path(address).unlink(missing_ok=True)


def run(
    module: str, tree: Path, command: list[str], operators: list[str], equivalent: set[Change]
) -> Report:
    """Runs all mutants of a module.

    :param command: The command that runs its tests.
    :raises RuntimeError: If the tests fail without a mutant.
    """
    started = time.monotonic()
    unchanged = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if unchanged.returncode:
        raise RuntimeError(f"The tests of {module} fail without a mutant:\n{unchanged.stdout}")
    session, settings = tree.parent / "session.sqlite", tree.parent / "session.toml"
    # Generous: only a mutant that hangs takes this long.
    timeout = 10 + 3 * (time.monotonic() - started)
    settings.write_text(
        _SETTINGS.format(module=module, timeout=timeout, command=shlex.join(command))
    )
    session.unlink(missing_ok=True)
    cosmic_ray = [sys.executable, "-m", "cosmic_ray.cli"]
    subprocess.run([*cosmic_ray, "init", str(settings), str(session)], cwd=tree, check=True)
    with use_db(session) as database:
        skip(database, (tree / module).read_text("utf-8"), operators)
    subprocess.run([*cosmic_ray, "exec", str(settings), str(session)], cwd=tree, check=True)
    with use_db(session) as database:
        return report_of(module, database, equivalent)


_SETTINGS = """\
[cosmic-ray]
module-path = "{module}"
timeout = {timeout:.1f}
excluded-modules = []
test-command = '''{command}'''
[cosmic-ray.distributor]
name = "local"
"""


def skip(database: WorkDB, source: str, operators: Iterable[str]) -> None:
    """Leaves out mutants of other operators, and those that say nothing about the tests.

    They are mutants that do not compile, that change the ``*`` of a signature, which api.md holds,
    and whose bytecode is that of the original or of an earlier mutant.
    """
    wanted = {f"core/{name}" for name in operators}
    original = ast.parse(source)
    seen = {essence(compile(original, "", "exec", dont_inherit=True))}
    for item in database.pending_work_items:
        (mutation,) = item.mutations
        if mutation.operator_name in wanted:
            operator = get_operator(mutation.operator_name)()
            try:
                mutant = mutate_code(source, operator, mutation.occurrence)
                tree = ast.parse(mutant or "")
                code = essence(compile(tree, "", "exec", dont_inherit=True))
            except (SyntaxError, AttributeError):  # the latter from cosmic-ray, for `except a.b:`
                tree, code = original, None
            is_same_signature = positional_only(tree) == positional_only(original)
            if code is not None and code not in seen and is_same_signature:
                seen.add(code)
                continue
        database.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))


def positional_only(tree: ast.Module) -> int:
    """How many parameters have no name for callers."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.arguments))
    return sum(len(arguments.posonlyargs) for arguments in found)


def essence(code: CodeType) -> tuple[object, ...]:
    """What a code object does, without the places of its lines."""
    constants = (
        essence(value) if isinstance(value, CodeType) else (type(value), repr(value))
        for value in code.co_consts
    )
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_name, code.co_code, tuple(constants), names


def report_of(module: str, database: WorkDB, equivalent: set[Change]) -> Report:
    """The outcomes that a session holds."""
    report = Report(module, 0, [], [])
    for _, result in database.results:
        if result.worker_outcome != WorkerOutcome.NORMAL:
            continue
        line, mutant = changed_line(result.diff)
        meant = {(where, line, what) for where in (module, "*") for what in (mutant, "")}
        known = meant & equivalent
        if result.is_killed:
            report = report._replace(killed=report.killed + 1)
        elif known:
            report.equivalent.extend(known)
        else:
            report.survivors.append((module, line, mutant))
    return report


def changed_line(diff: str) -> tuple[str, str]:
    """The changed line of a diff, before and after."""
    lines = diff.splitlines()[3:]
    return tuple(  # type: ignore[return-value] # two of them
        " ".join(" ".join(line[1:] for line in lines if line.startswith(sign)).split())
        for sign in "-+"
    )


def lines_of(report: Report) -> Iterator[str]:
    """A report, to be printed."""
    count = report.killed + len(report.survivors)
    yield (
        f"{report.module}: {count} mutants, {report.killed} killed, "
        f"{len(report.survivors)} survived, {len(report.equivalent)} equivalent"
    )
    for _, line, mutant in report.survivors:
        yield f"  - {line}"
        yield f"  + {mutant}"


def conclusion(reports: list[Report], equivalent: set[Change]) -> int:
    """Prints the sum of the reports.

    :return: The exit code.
    """
    survived = sum(len(report.survivors) for report in reports)
    killed = sum(report.killed for report in reports)
    share = killed / max(killed + survived, 1)
    print(f"{killed + survived} mutants, {killed} killed: {share:.1%}")
    run_modules = {report.module for report in reports}
    found = {change for report in reports for change in report.equivalent}
    outdated = [change for change in equivalent - found if change[0] in run_modules]
    for change in sorted(outdated):
        print(f"Outdated in {EQUIVALENT.name}:", *change, sep="\n  ")
    return 1 if outdated or share < REQUIRED else 0


if __name__ == "__main__":
    sys.exit(main())
