"""Runs the callers, disturbs them, and counts afterwards."""

import threading
import time
from collections import Counter
from pathlib import Path

from soak.callers import Ledger, run_tasks, run_thread
from soak.resource import JOURNAL, Resource
from soak.usage import Usage, grown, medians, usage

from azure.communication.identity import CommunicationIdentityClient

THREADS, TASKS = 64, 1000
_CALLS_PER_FAULT = 100
_RESTARTS = (0.2, 0.5)  # not close before the samples that are compared


def soak(seconds: float, folder: Path) -> list[str]:
    """Runs both clients, and returns what went wrong.

    :param float seconds: How long.
    :param folder: Where the database, the journal and the results are.
    """
    resource, ledger = Resource(folder), Ledger(folder)
    client = CommunicationIdentityClient(resource.endpoint, resource.credential)
    workers = [
        threading.Thread(target=run_thread, args=(client, ledger, seed)) for seed in range(THREADS)
    ]
    tasks = (resource.endpoint, resource.credential, ledger, TASKS)
    workers.append(threading.Thread(target=run_tasks, args=tasks))
    for worker in workers:
        worker.start()
    try:
        samples = _disturb(seconds, resource, ledger)
    finally:
        ledger.is_over = True
        for worker in workers:
            worker.join()
        client.close()
        ledger.close()
        resource.stop()
    calls, errors = ledger.calls.total(), ledger.errors.total()
    print(f"{calls} calls, {calls / seconds:.0f} per second, {errors} of which failed:")
    print(*(f"  {count} {name}" for name, count in ledger.errors.most_common()), sep="\n")
    early, late = medians(samples)
    for name, before, after in zip(Usage._fields, early, late, strict=True):
        print(f"{name}: {before:.0f} in the second quarter, {after:.0f} in the last one")
    return [*ledger.wrong, *grown(early, late), *_miscounted(folder, ledger)]


def _disturb(seconds: float, resource: Resource, ledger: Ledger) -> list[Usage]:
    """Injects faults, rotates keys, restarts the emulator, and takes samples."""
    samples: list[Usage] = []
    began, calls, printed = time.monotonic(), 0, -1.0
    # A request that was signed with the key before the last one may still wait for an answer.
    rotations = int(min(10, seconds / 15))
    due = [(seconds * part / (rotations + 1), resource.rotate) for part in range(1, rotations + 1)]
    due += [(seconds * part, resource.restart) for part in _RESTARTS]
    due.sort(key=lambda each: each[0])
    while (passed := time.monotonic() - began) < seconds:
        if due and passed >= due[0][0]:
            due.pop(0)[1]()
        resource.inject((ledger.calls.total() - calls) // _CALLS_PER_FAULT)
        calls = ledger.calls.total()
        samples.append(usage())
        if passed > printed:
            printed = passed + seconds / 20
            _print_sample(passed, calls, samples[-1], resource.memory)
        time.sleep(1)
    return samples


def _print_sample(passed: float, calls: int, used: Usage, emulator: float) -> None:
    print(
        f"{passed:4.0f} s {calls:9} calls  {used.megabytes:6.1f} MB  {used.files} files  "
        f"{used.threads} threads  emulator {emulator:6.1f} MB",
        flush=True,
    )


def _miscounted(folder: Path, ledger: Ledger) -> list[str]:
    """Which acknowledged users the emulator did not create, or created more than once."""
    created = Counter((folder / JOURNAL).read_text(encoding="ascii").split())
    acknowledged = [
        line.split(" ") for line in ledger.path.read_text(encoding="ascii").splitlines()
    ]
    of_custom_id: dict[str, set[str]] = {}
    for raw_id, custom_id in acknowledged:
        if custom_id:
            of_custom_id.setdefault(custom_id, set()).add(raw_id)
    plain = Counter(raw_id for raw_id, custom_id in acknowledged if not custom_id)
    repeated = sum(created[raw_id] > 1 for ids in of_custom_id.values() for raw_id in ids)
    lost = [raw_id for raw_id, _ in acknowledged if not created[raw_id]]
    orphans = len(created.keys() - {raw_id for raw_id, _ in acknowledged})
    failed = sum(count for name, count in ledger.errors.items() if name.startswith("create_user"))
    print(
        f"{len(acknowledged)} acknowledged creates, {repeated} users repeated under one custom_id, "
        f"{len(lost)} that the emulator does not know, {orphans} users of {failed} failed creates"
    )
    problems = [f"{raw_id} was created for two calls" for raw_id, n in plain.items() if n > 1]
    problems += [f"{raw_id} is twice in the journal" for raw_id in plain if created[raw_id] > 1]
    problems += [f"{ids} for one custom_id" for ids in of_custom_id.values() if len(ids) > 1]
    return problems + [f"{raw_id} is lost" for raw_id in lost]
