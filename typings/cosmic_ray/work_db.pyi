from collections.abc import Iterable
from contextlib import AbstractContextManager
from os import PathLike

from .work_item import WorkItem, WorkResult

class WorkDB:
    @property
    def pending_work_items(self) -> Iterable[WorkItem]: ...
    @property
    def results(self) -> Iterable[tuple[str, WorkResult]]: ...
    def set_result(self, job_id: str, result: WorkResult) -> None: ...

def use_db(path: str | PathLike[str]) -> AbstractContextManager[WorkDB]: ...
