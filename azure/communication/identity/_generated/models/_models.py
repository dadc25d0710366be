# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The bodies of requests and responses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from msrest.serialization import Model

from .. import _enums


class CommunicationError(Model):
    """An error.

    :keyword code: The error code, for programs. Required.
    :paramtype code: str
    :keyword message: A description of the error, for people. Required.
    :paramtype message: str
    :ivar target: The invalid part of the request.
    :vartype target: str
    :ivar details: The errors that led to this error.
    :vartype details: list[~azure.communication.identity._generated.models.CommunicationError]
    :ivar inner_error: A more specific error.
    :vartype inner_error: ~azure.communication.identity._generated.models.CommunicationError
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "code": {"required": True},
        "message": {"required": True},
        "target": {"readonly": True},
        "details": {"readonly": True},
        "inner_error": {"readonly": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "code": {"key": "code", "type": "str"},
        "message": {"key": "message", "type": "str"},
        "target": {"key": "target", "type": "str"},
        "details": {"key": "details", "type": "[CommunicationError]"},
        "inner_error": {"key": "innererror", "type": "CommunicationError"},
    }

    def __init__(
        self,
        *,
        code: str,
        message: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.code = code
        self.message = message
        self.target: str | None = None
        self.details: Sequence[CommunicationError] | None = None
        self.inner_error: CommunicationError | None = None


class CommunicationErrorResponse(Model):
    """The body of an error response.

    :keyword error: An error. Required.
    :paramtype error: ~azure.communication.identity._generated.models.CommunicationError
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "error": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "error": {"key": "error", "type": "CommunicationError"},
    }

    def __init__(
        self,
        *,
        error: CommunicationError,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.error = error


class CommunicationIdentity(Model):
    """An identity.

    :keyword id: The raw id of the identity. Required.
    :paramtype id: str
    :keyword custom_id: The id that the caller gave the identity.
    :paramtype custom_id: str
    :keyword last_token_issued_at: The time the last token was issued for the identity, UTC.
    :paramtype last_token_issued_at: ~datetime.datetime
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "id": {"required": True},
        "custom_id": {"min_length": 1, "max_length": 256},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "id": {"key": "id", "type": "str"},
        "custom_id": {"key": "customId", "type": "str"},
        "last_token_issued_at": {"key": "lastTokenIssuedAt", "type": "iso-8601"},
    }

    def __init__(
        self,
        *,
        id: str,
        custom_id: str | None = None,
        last_token_issued_at: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.id = id
        self.custom_id = custom_id
        self.last_token_issued_at = last_token_issued_at


class CommunicationIdentityAccessToken(Model):
    """An access token.

    :keyword token: The token. It is opaque: its format is not part of the API contract. Required.
    :paramtype token: str
    :keyword expires_on: The expiry of the token, UTC. Required.
    :paramtype expires_on: ~datetime.datetime
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "token": {"required": True},
        "expires_on": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "token": {"key": "token", "type": "str"},
        "expires_on": {"key": "expiresOn", "type": "iso-8601"},
    }

    def __init__(
        self,
        *,
        token: str,
        expires_on: datetime,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.token = token
        self.expires_on = expires_on


class CommunicationIdentityAccessTokenRequest(Model):
    """The body that issues a token.

    :keyword scopes: The scopes of the token. Required.
    :paramtype scopes: list[str or
        ~azure.communication.identity._generated.models.CommunicationTokenScope]
    :keyword expires_in_minutes: The lifetime of the token in minutes, from 60 to 1440.
    :paramtype expires_in_minutes: int
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "scopes": {"min_items": 1, "required": True},
        "expires_in_minutes": {"minimum": 60, "maximum": 1440},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "scopes": {"key": "scopes", "type": "[str]"},
        "expires_in_minutes": {"key": "expiresInMinutes", "type": "int"},
    }

    def __init__(
        self,
        *,
        scopes: Sequence[_enums.CommunicationTokenScope | str],
        expires_in_minutes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.scopes = scopes
        self.expires_in_minutes = expires_in_minutes


class CommunicationIdentityAccessTokenResult(Model):
    """An identity, and the access token if one was issued.

    :keyword identity: The identity. Required.
    :paramtype identity: ~azure.communication.identity._generated.models.CommunicationIdentity
    :keyword access_token: The token, if one was issued.
    :paramtype access_token:
        ~azure.communication.identity._generated.models.CommunicationIdentityAccessToken
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "identity": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "identity": {"key": "identity", "type": "CommunicationIdentity"},
        "access_token": {"key": "accessToken", "type": "CommunicationIdentityAccessToken"},
    }

    def __init__(
        self,
        *,
        identity: CommunicationIdentity,
        access_token: CommunicationIdentityAccessToken | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.identity = identity
        self.access_token = access_token


class CommunicationIdentityCreateRequest(Model):
    """The body that creates an identity.

    :keyword create_token_with_scopes: The scopes of the token to issue. If absent, no token is
        issued.
    :paramtype create_token_with_scopes: list[str or
        ~azure.communication.identity._generated.models.CommunicationTokenScope]
    :keyword expires_in_minutes: The lifetime of the token in minutes, from 60 to 1440.
    :paramtype expires_in_minutes: int
    :keyword custom_id: An id of the caller. If an identity with this id exists, it is returned;
        otherwise a new identity is created.
    :paramtype custom_id: str
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "expires_in_minutes": {"minimum": 60, "maximum": 1440},
        "custom_id": {"min_length": 1, "max_length": 256},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "create_token_with_scopes": {"key": "createTokenWithScopes", "type": "[str]"},
        "expires_in_minutes": {"key": "expiresInMinutes", "type": "int"},
        "custom_id": {"key": "customId", "type": "str"},
    }

    def __init__(
        self,
        *,
        create_token_with_scopes: Sequence[_enums.CommunicationTokenScope | str] | None = None,
        expires_in_minutes: int | None = None,
        custom_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.create_token_with_scopes = create_token_with_scopes
        self.expires_in_minutes = expires_in_minutes
        self.custom_id = custom_id


class TeamsUserExchangeTokenRequest(Model):
    """The body that exchanges the Entra token of a Teams user.

    :keyword token: The Entra token of the Teams user. Required.
    :paramtype token: str
    :keyword app_id: The id of the Entra application that the token was issued to. Required.
    :paramtype app_id: str
    :keyword user_id: The Entra object id of the user that the token was issued for. Required.
    :paramtype user_id: str
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "token": {"required": True},
        "app_id": {"required": True},
        "user_id": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "token": {"key": "token", "type": "str"},
        "app_id": {"key": "appId", "type": "str"},
        "user_id": {"key": "userId", "type": "str"},
    }

    def __init__(
        self,
        *,
        token: str,
        app_id: str,
        user_id: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.token = token
        self.app_id = app_id
        self.user_id = user_id


class TokenExchangeRequest(Model):
    """The body that exchanges the token authenticating the request: an empty object."""

    _validation: ClassVar[dict[str, dict[str, Any]]] = {}
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {}

    def __init__(
        self,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)


class TeamsExtensionAssignmentRequest(Model):
    """The body that creates or replaces a Teams extension assignment.

    :keyword principal_type: The type of the principal. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.TeamsExtensionPrincipalType
    :keyword client_ids: The ids of the Entra applications that the principal can get tokens
        through.
    :paramtype client_ids: list[str]
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "principal_type": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "principal_type": {"key": "principalType", "type": "str"},
        "client_ids": {"key": "clientIds", "type": "[str]"},
    }

    def __init__(
        self,
        *,
        principal_type: _enums.TeamsExtensionPrincipalType | str,
        client_ids: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.principal_type = principal_type
        self.client_ids = client_ids


class TeamsExtensionAssignment(Model):
    """Allows a Teams user or resource account to get tokens through Entra applications.

    :keyword object_id: The Entra object id of the principal. Required.
    :paramtype object_id: str
    :keyword tenant_id: The id of the principal's Entra tenant. Required.
    :paramtype tenant_id: str
    :keyword principal_type: The type of the principal. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.TeamsExtensionPrincipalType
    :keyword client_ids: The ids of the Entra applications that the principal can get tokens
        through.
    :paramtype client_ids: list[str]
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "object_id": {"required": True},
        "tenant_id": {"required": True},
        "principal_type": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "object_id": {"key": "objectId", "type": "str"},
        "tenant_id": {"key": "tenantId", "type": "str"},
        "principal_type": {"key": "principalType", "type": "str"},
        "client_ids": {"key": "clientIds", "type": "[str]"},
    }

    def __init__(
        self,
        *,
        object_id: str,
        tenant_id: str,
        principal_type: _enums.TeamsExtensionPrincipalType | str,
        client_ids: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.object_id = object_id
        self.tenant_id = tenant_id
        self.principal_type = principal_type
        self.client_ids = client_ids


class EntraAssignmentUpdate(Model):
    """The body that creates or replaces an Entra assignment.

    :keyword tenant_id: The id of the principal's Entra tenant. Required.
    :paramtype tenant_id: str
    :keyword principal_type: The type of the principal. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.EntraPrincipalType
    :keyword client_ids: The ids of the Entra applications that the principal can get tokens
        through. Required.
    :paramtype client_ids: list[str]
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "tenant_id": {"required": True},
        "principal_type": {"required": True},
        "client_ids": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "tenant_id": {"key": "tenantId", "type": "str"},
        "principal_type": {"key": "principalType", "type": "str"},
        "client_ids": {"key": "clientIds", "type": "[str]"},
    }

    def __init__(
        self,
        *,
        tenant_id: str,
        principal_type: _enums.EntraPrincipalType | str,
        client_ids: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tenant_id = tenant_id
        self.principal_type = principal_type
        self.client_ids = client_ids


class EntraAssignment(Model):
    """Allows a user, a group or a tenant to get tokens through Entra applications.

    :keyword object_id: The Entra object id of the principal. Required.
    :paramtype object_id: str
    :keyword tenant_id: The id of the principal's Entra tenant. Required.
    :paramtype tenant_id: str
    :keyword principal_type: The type of the principal. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.EntraPrincipalType
    :keyword client_ids: The ids of the Entra applications that the principal can get tokens
        through. Required.
    :paramtype client_ids: list[str]
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "object_id": {"required": True},
        "tenant_id": {"required": True},
        "principal_type": {"required": True},
        "client_ids": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "object_id": {"key": "objectId", "type": "str"},
        "tenant_id": {"key": "tenantId", "type": "str"},
        "principal_type": {"key": "principalType", "type": "str"},
        "client_ids": {"key": "clientIds", "type": "[str]"},
    }

    def __init__(
        self,
        *,
        object_id: str,
        tenant_id: str,
        principal_type: _enums.EntraPrincipalType | str,
        client_ids: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.object_id = object_id
        self.tenant_id = tenant_id
        self.principal_type = principal_type
        self.client_ids = client_ids


class EntraAssignmentList(Model):
    """A page of Entra assignments.

    :keyword value: The assignments. Required.
    :paramtype value: list[~azure.communication.identity._generated.models.EntraAssignment]
    :keyword next_link: The URL of the next page. Absent on the last page.
    :paramtype next_link: str
    """

    _validation: ClassVar[dict[str, dict[str, Any]]] = {
        "value": {"required": True},
    }
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {
        "value": {"key": "value", "type": "[EntraAssignment]"},
        "next_link": {"key": "nextLink", "type": "str"},
    }

    def __init__(
        self,
        *,
        value: Sequence[EntraAssignment],
        next_link: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.value = value
        self.next_link = next_link
