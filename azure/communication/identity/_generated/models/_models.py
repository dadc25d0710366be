# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The bodies of requests and responses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from msrest.serialization import Model

from .. import _enums


class CommunicationError(Model):
    """What went wrong.

    :keyword code: What went wrong, for programs. Required.
    :paramtype code: str
    :keyword message: What went wrong, for people. Required.
    :paramtype message: str
    :ivar target: The part of the request that is at fault.
    :vartype target: str
    :ivar details: Further errors that led to this one.
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
    """The body of every answer that is an error.

    :keyword error: What went wrong. Required.
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
    :keyword custom_id: The id that the caller gave to the identity.
    :paramtype custom_id: str
    :keyword last_token_issued_at: When a token was last issued for the identity, UTC.
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

    :keyword token: The token. Its format is not a part of the contract. Required.
    :paramtype token: str
    :keyword expires_on: When the token expires, UTC. Required.
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

    :keyword scopes: What the token gives access to. Required.
    :paramtype scopes: list[str or
        ~azure.communication.identity._generated.models.CommunicationTokenScope]
    :keyword expires_in_minutes: For how many minutes the token is valid, from 60 to 1440.
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
    """An identity, with an access token when one was issued.

    :keyword identity: The identity. Required.
    :paramtype identity: ~azure.communication.identity._generated.models.CommunicationIdentity
    :keyword access_token: The token, when one was issued.
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

    :keyword create_token_with_scopes: What the token that is issued as well gives access to. None
        is issued without it.
    :paramtype create_token_with_scopes: list[str or
        ~azure.communication.identity._generated.models.CommunicationTokenScope]
    :keyword expires_in_minutes: For how many minutes the token is valid, from 60 to 1440.
    :paramtype expires_in_minutes: int
    :keyword custom_id: An id of the caller's own. The identity that has it already is returned, and
        else a new one.
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

    :keyword token: The Entra ID token of the Teams user. Required.
    :paramtype token: str
    :keyword app_id: The id of the Entra application that the token was issued to. Required.
    :paramtype app_id: str
    :keyword user_id: The object id of the user that the token was issued for. Required.
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
    """The body that exchanges the token that authenticates the request: an empty object."""

    _validation: ClassVar[dict[str, dict[str, Any]]] = {}
    _attribute_map: ClassVar[dict[str, dict[str, str]]] = {}

    def __init__(
        self,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)


class TeamsExtensionAssignmentRequest(Model):
    """The body that creates or replaces an assignment.

    :keyword principal_type: What the object is. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.TeamsExtensionPrincipalType
    :keyword client_ids: The ids of the Entra applications that may act for the object.
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
    """What gives a Teams user or resource account access to the resource.

    :keyword object_id: The Entra object id of the user or resource account. Required.
    :paramtype object_id: str
    :keyword tenant_id: The id of the Entra tenant of the object. Required.
    :paramtype tenant_id: str
    :keyword principal_type: What the object is. Required.
    :paramtype principal_type: str or
        ~azure.communication.identity._generated.models.TeamsExtensionPrincipalType
    :keyword client_ids: The ids of the Entra applications that may act for the object.
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
