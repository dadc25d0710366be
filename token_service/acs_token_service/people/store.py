"""Reads and writes the tables, one method for each step."""

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from .database import Database
from .schema import departed, person, retired

_SEEN_EVERY = 60 * 60  # seconds between two writes of last_seen
_BATCH = 100


class Subject(NamedTuple):
    """A person, by its sign-in."""

    issuer: str
    subject: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()


class Person(NamedTuple):
    """A row of the table `person`."""

    id: str
    identity_id: str | None
    claim_until: float | None
    generation: int
    not_before: float
    revoking_until: float | None
    last_seen: float

    def is_claimed(self, now: float) -> bool:
        """Whether a process creates the identity at the moment."""
        return self.identity_id is None and (self.claim_until or 0.0) > now


_COLUMNS = [person.c[name] for name in Person._fields]


class People:
    """The tables of people and of retired identities. Each method but `settle` is one transaction.

    What follows a call to the resource, or makes room for other callers, is urgent.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        dialect = database.engine.dialect.name
        self._insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert

    def now(self) -> float:
        return self._clock()

    async def find(self, subject: Subject) -> Person | None:
        query = select(*_COLUMNS).where(
            person.c.issuer == subject.issuer, person.c.subject == subject.subject
        )
        async with self._database.statement() as connection:
            return _person((await connection.execute(query)).one_or_none())

    async def settled(self, subjects: Sequence[Subject]) -> dict[Subject, Person | None]:
        """Those of the people whose identity no process creates; None for those that are gone."""
        keys = (person.c.issuer, person.c.subject)
        # Filled up to a power of two: the database keeps a plan for each number.
        missing = (1 << (len(subjects) - 1).bit_length()) - len(subjects)
        wanted = [tuple(each) for each in (*subjects, *repeat(subjects[0], missing))]
        query = select(*keys, *_COLUMNS).where(tuple_(*keys).in_(wanted))
        async with self._database.statement(urgent=True) as connection:
            rows = (await connection.execute(query)).mappings().all()
        found = {
            Subject(row["issuer"], row["subject"]): Person(*(row[name] for name in Person._fields))
            for row in rows
        }
        now = self._clock()
        return {
            subject: found.get(subject)
            for subject in subjects
            if subject not in found or not found[subject].is_claimed(now)
        }

    async def get(self, id_: str) -> Person | None:
        async with self._database.statement(urgent=True) as connection:
            query = select(*_COLUMNS).where(person.c.id == id_)
            return _person((await connection.execute(query)).one_or_none())

    async def departed_at(self, subject: Subject) -> float | None:
        """When a person of that name was deleted, if recently."""
        query = select(departed.c.not_before).where(departed.c.person_hash == subject.hash)
        async with self._database.statement() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def insert(self, subject: Subject, claim_until: float) -> Person | None:
        """Adds a person with the claim to create its identity; None if it exists already."""
        row = Person(
            id=str(uuid.uuid4()),
            identity_id=None,
            claim_until=claim_until,
            generation=0,
            not_before=0.0,
            revoking_until=None,
            last_seen=self._clock(),
        )
        values = {**row._asdict(), **subject._asdict()}
        statement = self._insert(person).values(values).on_conflict_do_nothing()
        async with self._database.statement() as connection:
            return row if (await connection.execute(statement)).rowcount == 1 else None

    async def claim(self, seen: Person, claimed: Person) -> bool:
        """Takes the claim to create the identity; False if another process was faster."""
        statement = (
            update(person)
            .where(
                person.c.id == seen.id,
                person.c.identity_id.is_(None),
                person.c.claim_until.is_not_distinct_from(seen.claim_until),
            )
            .values(claim_until=claimed.claim_until)
        )
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def give_claim_back(self, claimed: Person) -> None:
        statement = (
            update(person)
            .where(
                person.c.id == claimed.id,
                person.c.identity_id.is_(None),
                person.c.claim_until == claimed.claim_until,
            )
            .values(claim_until=None)
        )
        async with self._database.statement(urgent=True) as connection:
            await connection.execute(statement)

    async def settle(self, id_: str, identity_id: str) -> None:
        """Writes the identity of a person.

        An identity that comes too late, since the person has another or is gone, is retired.
        """
        statement = (
            update(person)
            .where(person.c.id == id_, person.c.identity_id.is_(None))
            .values(identity_id=identity_id, claim_until=None)
        )
        async with self._database.statement(urgent=True) as connection:
            if (await connection.execute(statement)).rowcount == 1:
                return
        query = select(person.c.identity_id).where(person.c.id == id_)
        async with self._database.transaction(urgent=True) as connection:
            if (await connection.execute(query)).scalar_one_or_none() != identity_id:
                await connection.execute(self._retirement(identity_id))

    async def lose_identity(self, id_: str, identity_id: str) -> None:
        """Clears the identity, which the resource no longer has."""
        statement = (
            update(person)
            .where(person.c.id == id_, person.c.identity_id == identity_id)
            .values(identity_id=None, claim_until=None, generation=person.c.generation + 1)
        )
        async with self._database.statement(urgent=True) as connection:
            await connection.execute(statement)

    async def begin_sign_out(
        self, seen: Person, not_before: float, revoking_until: float
    ) -> int | None:
        """Starts a generation, and notes that the tokens of those before are to be revoked.

        Returns the generation, or None if the person is gone or another process began meanwhile.
        """
        statement = (
            update(person)
            .where(person.c.id == seen.id, person.c.generation == seen.generation)
            .values(
                generation=seen.generation + 1,
                not_before=max(seen.not_before, not_before),
                revoking_until=revoking_until,
            )
        )
        async with self._database.statement(urgent=True) as connection:
            changed = (await connection.execute(statement)).rowcount == 1
            return seen.generation + 1 if changed else None

    async def set_revoking(self, id_: str, generation: int, until: float | None) -> None:
        """Ends a sign-out, or leaves its revocation to others from a time on."""
        statement = (
            update(person)
            .where(person.c.id == id_, person.c.generation == generation)
            .values(revoking_until=until)
        )
        async with self._database.statement(urgent=True) as connection:
            await connection.execute(statement)

    async def unfinished_sign_outs(self) -> Sequence[Person]:
        query = select(*_COLUMNS).where(person.c.revoking_until < self._clock()).limit(_BATCH)
        async with self._database.statement() as connection:
            return [Person._make(row) for row in await connection.execute(query)]

    async def remove(
        self, seen: Person, subject: Subject, not_before: float, forget_at: float
    ) -> bool:
        """Deletes a person and retires its identity; False if another process did so."""
        note = self._insert(departed).values(
            person_hash=subject.hash, not_before=not_before, forget_at=forget_at
        )
        note = note.on_conflict_do_update(
            index_elements=[departed.c.person_hash],
            set_={"not_before": not_before, "forget_at": forget_at},
        )
        async with self._database.transaction(urgent=True) as connection:
            statement = delete(person).where(
                person.c.id == seen.id, person.c.identity_id == seen.identity_id
            )
            if (await connection.execute(statement)).rowcount != 1:
                return False
            if seen.identity_id is not None:
                await connection.execute(self._retirement(seen.identity_id))
            await connection.execute(note)
            return True

    async def retired(self, until: float) -> Sequence[str]:
        """Identities that were retired until then, in random order: other processes look too."""
        query = (
            select(retired.c.identity_id)
            .where(retired.c.since <= until)
            .order_by(func.random())
            .limit(_BATCH)
        )
        async with self._database.statement() as connection:
            return (await connection.execute(query)).scalars().all()

    async def count_retired(self) -> int:
        async with self._database.statement() as connection:
            return (
                await connection.execute(select(func.count()).select_from(retired))
            ).scalar_one()

    async def forget_retired(self, identity_id: str) -> None:
        async with self._database.statement(urgent=True) as connection:
            await connection.execute(delete(retired).where(retired.c.identity_id == identity_id))

    async def forget_departed(self) -> None:
        async with self._database.statement() as connection:
            await connection.execute(delete(departed).where(departed.c.forget_at < self._clock()))

    def is_long_unseen(self, seen: Person) -> bool:
        return self._clock() - seen.last_seen >= _SEEN_EVERY

    async def note_seen(self, seen: Person) -> None:
        """Records that the person made a request."""
        statement = update(person).where(person.c.id == seen.id).values(last_seen=self._clock())
        async with self._database.statement() as connection:
            await connection.execute(statement)

    def _retirement(self, identity_id: str) -> Any:
        row = {"identity_id": identity_id, "since": self._clock()}
        return self._insert(retired).values(row).on_conflict_do_nothing()


def _person(row: Row[Any] | None) -> Person | None:
    return None if row is None else Person._make(row)
