"""The two access keys and their changes, without a server."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from acs_identity_emulator.authentication.access_keys import AccessKeys, pasted_key
from acs_identity_emulator.authentication.authenticators import ENTRA
from acs_identity_emulator.state.store import Store

KEYS = [base64.b64encode(b"key %d of a test" % number).decode() for number in range(5)]
LONG = base64.b64encode(bytes(64)).decode()


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def test_random_keys_are_as_long_as_those_of_the_service(store: Store) -> None:
    keys = AccessKeys(store, primary=None, secondary=None)
    random = {keys["primary"], keys["secondary"], keys.rotate("primary"), keys.rotate("secondary")}
    assert [len(base64.b64decode(key)) for key in random] == [64, 64, 64, 64]


def test_given_keys(store: Store) -> None:
    keys = AccessKeys(store, primary=KEYS[0], secondary=KEYS[1])
    assert (keys["primary"], keys["secondary"]) == (KEYS[0], KEYS[1])
    assert list(keys.octets_by_id.values()) == [b"key 0 of a test", b"key 1 of a test"]
    assert not keys.retired


@pytest.mark.parametrize("slot", ["primary", "secondary"])
def test_a_rotated_key_is_retired(store: Store, slot: str) -> None:
    keys = AccessKeys(store, primary=KEYS[0], secondary=KEYS[1])
    before = dict(keys.octets_by_id)
    assert keys.rotate(slot, KEYS[2]) == keys[slot] == KEYS[2]
    (changed,) = (id_ for id_ in before if id_.startswith(slot))
    (kept,) = before.keys() - {changed}
    assert keys.retired == {changed: before[changed]}
    assert (keys.in_force(changed), keys.in_force(kept), keys.in_force(ENTRA)) == (
        False, True, True,
    )  # fmt: skip
    assert sorted(keys.octets_by_id.values()) == sorted([before[kept], b"key 2 of a test"])


def test_the_store_keeps_the_keys_and_their_ids(store: Store) -> None:
    first = AccessKeys(store, primary=KEYS[0], secondary=None)
    first.rotate("primary", KEYS[1])
    again = AccessKeys(store, primary=KEYS[1], secondary=None)
    assert again.octets_by_id == first.octets_by_id
    assert (again["primary"], again["secondary"]) == (KEYS[1], first["secondary"])


def test_no_two_keys_of_a_slot_have_one_id(store: Store) -> None:
    """A later key with the id of an earlier one would make its revoked tokens valid again."""
    ids: list[str] = []
    for given in (KEYS[0], KEYS[1], None):
        keys = AccessKeys(store, primary=given, secondary=None)
        ids += (id_ for id_ in keys.octets_by_id if id_.startswith("primary"))
        keys.rotate("primary")
        ids += (id_ for id_ in keys.octets_by_id if id_.startswith("primary"))
    assert len(ids) == 6
    assert len(set(ids)) == 5  # without a given key, the kept one stays


@pytest.mark.parametrize(
    "pasted",
    [
        "{}\n",
        "  {}\r\n",
        "\ufeff{}",
        '"{}"',
        " ' {} '\n",
        '\ufeff "{}"',
        "{}",
        "'\ufeff{}'",
        "\ufeff\n\ufeff{}",
        "\u00ef\u00bb\u00bf{}",
        "{}\ufeff",
    ],
)
def test_what_pasting_adds_to_a_key_is_removed(pasted: str) -> None:
    assert pasted_key("access_key", pasted.format(KEYS[0])) == KEYS[0]


@pytest.mark.parametrize("key", [5, b"QUJD", None])
def test_a_key_of_another_type_is_a_type_error(key: Any) -> None:
    with pytest.raises(TypeError, match=rf"^key must be a str, not {type(key).__name__}$"):
        pasted_key("key", key)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (f"\u201c{KEYS[0]}\u201d", ": it has typographic quotes"),
        (f"ACS_KEY={KEYS[0]}", ": it begins with the name of a variable"),
        *(
            (f"{name}{KEYS[0]}", ": it begins with the name of a variable")
            for name in (
                "access-key=",
                "acs.key=",
                "ACS = ",
                "ACS: ",
                "$env:ACS='",
                "ACS_ACCESSKEY=",
            )
        ),
        (f"\u2033{KEYS[0]}\u2033", ": it has typographic quotes"),
        (f"{KEYS[0][:4]} {KEYS[0][4:]}", ": it has white space in it"),
        (f"{LONG}\n{LONG}", ": it is two keys"),
        (f"{LONG}{LONG}", ": it is two keys"),
        (f"'{KEYS[0]}", ": it has a quote"),
        (f"endpoint=https://a/;accesskey={KEYS[0]} ", ": it is a URL or a connection string"),
        (f"ACCESSKEY={KEYS[0]}", ": it is a URL or a connection string"),
        ("é", "$"),
        ("QUJ", "$"),
        (f"\"{KEYS[0]}'", ": it has a quote"),
        (f'""{KEYS[0]}""', ": it has a quote"),
        ("", "$"),
        ('"', "$"),
    ],
)
def test_what_is_not_a_key(key: str, problem: str) -> None:
    expected = f"^access_key must be base64 of at least one byte{problem}"
    with pytest.raises(ValueError, match=expected) as caught:
        pasted_key("access_key", key)
    assert KEYS[0] not in str(caught.value)
