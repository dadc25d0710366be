import enum

class WorkerOutcome(str, enum.Enum):
    NORMAL = "normal"
    SKIPPED = "skipped"

class MutationSpec:
    operator_name: str
    occurrence: int

class WorkItem:
    job_id: str
    mutations: tuple[MutationSpec, ...]

class WorkResult:
    worker_outcome: WorkerOutcome
    diff: str
    def __init__(self, worker_outcome: WorkerOutcome) -> None: ...
    @property
    def is_killed(self) -> bool: ...
