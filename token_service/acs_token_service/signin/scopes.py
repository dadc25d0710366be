"""Rules for scopes.

The rules are read in order, and the first that fits decides. A rule without a claim fits everybody.
For anything that rules cannot express, pass `create_app` a function from the claims of a bearer
token to the scopes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..tokens.resource import SCOPES
from .errors import ScopeNotAllowedError

Claims = Mapping[str, Any]
AllowedScopes = Callable[[Claims], frozenset[str]]


class ScopeRule(BaseModel):
    """Gives scopes to those whose bearer token has a claim with a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str | None = Field(None, description="name of a claim; absent: everybody")
    value: str | None = Field(None, description="its value, or one of its values")
    scopes: tuple[str, ...]

    @model_validator(mode="after")
    def _claim_and_value_go_together(self) -> "ScopeRule":
        if (self.claim is None) != (self.value is None):
            raise ValueError("claim and value go together")
        return self

    @field_validator("scopes")
    @classmethod
    def _are_known(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if not SCOPES.issuperset(scopes):
            raise ValueError(f"scopes are {', '.join(sorted(SCOPES))}")
        return scopes

    def fits(self, claims: Claims) -> bool:
        if self.claim is None:
            return True
        found = claims.get(self.claim)
        if isinstance(found, str):
            # A claim such as `scp` lists its values with spaces in between.
            return self.value == found or self.value in found.split()
        if isinstance(found, (list, tuple)):
            return self.value in found
        # Only numbers and bools are left. Entra's `acct` is 0 for members and 1 for guests.
        return found is not None and str(found).lower() == self.value


GUESTS_JOIN = (
    ScopeRule(claim="roles", value="guest", scopes=("chat.join", "voip.join")),
    ScopeRule(claim="acct", value="1", scopes=("chat.join", "voip.join")),
    ScopeRule(claim=None, value=None, scopes=("chat", "voip")),
)


def by_rules(rules: Sequence[ScopeRule]) -> AllowedScopes:
    def allowed(claims: Claims) -> frozenset[str]:
        return frozenset(next((rule.scopes for rule in rules if rule.fits(claims)), ()))

    return allowed


def choose(asked: Sequence[str], allowed: frozenset[str]) -> tuple[str, ...]:
    """The scopes that were asked for, or all that are allowed if none were, sorted.

    :raises ScopeNotAllowedError: If a scope is not allowed, or the account may not have any.
    """
    if not allowed:
        raise ScopeNotAllowedError("this account may not have a token")
    for scope in asked:
        if scope not in allowed:
            raise ScopeNotAllowedError(
                f"a scope is not allowed; this account may have {' '.join(sorted(allowed))}"
            )
    return tuple(sorted(set(asked) or allowed))
