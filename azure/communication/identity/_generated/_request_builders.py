# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""Builds the request of each operation. The functions are pure."""

from collections.abc import Mapping

from azure.core.rest import HttpRequest

from ._messages import JSON, Serializable, build_request, segment


def build_communication_identity_create_request(
    *,
    json: JSON | Serializable | None = None,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /identities``"""
    return build_request(
        "POST",
        "/identities",
        api_version,
        headers,
        params,
        json,
        content_type="application/json",
    )


def build_communication_identity_get_request(
    id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``GET /identities/{id}``"""
    return build_request(
        "GET",
        f"/identities/{segment(id)}",
        api_version,
        headers,
        params,
    )


def build_communication_identity_delete_request(
    id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``DELETE /identities/{id}``"""
    return build_request(
        "DELETE",
        f"/identities/{segment(id)}",
        api_version,
        headers,
        params,
    )


def build_communication_identity_revoke_access_tokens_request(
    id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /identities/{id}/:revokeAccessTokens``"""
    return build_request(
        "POST",
        f"/identities/{segment(id)}/:revokeAccessTokens",
        api_version,
        headers,
        params,
    )


def build_communication_identity_issue_access_token_request(
    id: str,
    *,
    json: JSON | Serializable,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /identities/{id}/:issueAccessToken``"""
    return build_request(
        "POST",
        f"/identities/{segment(id)}/:issueAccessToken",
        api_version,
        headers,
        params,
        json,
        content_type="application/json",
    )


def build_communication_identity_exchange_teams_user_access_token_request(
    *,
    json: JSON | Serializable,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /teamsUser/:exchangeAccessToken``"""
    return build_request(
        "POST",
        "/teamsUser/:exchangeAccessToken",
        api_version,
        headers,
        params,
        json,
        content_type="application/json",
    )


def build_teams_extension_exchange_token_request(
    *,
    json: JSON | Serializable | None = None,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /access/teamsExtension/:exchangeAccessToken``"""
    return build_request(
        "POST",
        "/access/teamsExtension/:exchangeAccessToken",
        api_version,
        headers,
        params,
        {} if json is None else json,
        content_type="application/json",
    )


def build_teams_extension_get_assignment_request(
    tenant_id: str,
    object_id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``GET /access/teamsExtension/tenants/{tenantId}/assignments/{objectId}``"""
    return build_request(
        "GET",
        f"/access/teamsExtension/tenants/{segment(tenant_id)}/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
    )


def build_teams_extension_upsert_assignment_request(
    tenant_id: str,
    object_id: str,
    *,
    json: JSON | Serializable,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``PUT /access/teamsExtension/tenants/{tenantId}/assignments/{objectId}``"""
    return build_request(
        "PUT",
        f"/access/teamsExtension/tenants/{segment(tenant_id)}/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
        json,
        content_type="application/json",
    )


def build_teams_extension_delete_assignment_request(
    tenant_id: str,
    object_id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``DELETE /access/teamsExtension/tenants/{tenantId}/assignments/{objectId}``"""
    return build_request(
        "DELETE",
        f"/access/teamsExtension/tenants/{segment(tenant_id)}/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
    )


def build_entra_exchange_token_request(
    *,
    json: JSON | Serializable | None = None,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``POST /access/entra/:exchangeAccessToken``"""
    return build_request(
        "POST",
        "/access/entra/:exchangeAccessToken",
        api_version,
        headers,
        params,
        {} if json is None else json,
        content_type="application/json",
    )


def build_entra_list_assignments_request(
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``GET /access/entra/assignments``"""
    return build_request(
        "GET",
        "/access/entra/assignments",
        api_version,
        headers,
        params,
    )


def build_entra_update_assignments_request(
    *,
    json: JSON | Serializable,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``PATCH /access/entra/assignments``"""
    return build_request(
        "PATCH",
        "/access/entra/assignments",
        api_version,
        headers,
        params,
        json,
        content_type="application/merge-patch+json",
    )


def build_entra_get_assignment_request(
    object_id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``GET /access/entra/assignments/{objectId}``"""
    return build_request(
        "GET",
        f"/access/entra/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
    )


def build_entra_upsert_assignment_request(
    object_id: str,
    *,
    json: JSON | Serializable,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``PUT /access/entra/assignments/{objectId}``"""
    return build_request(
        "PUT",
        f"/access/entra/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
        json,
        content_type="application/json",
    )


def build_entra_delete_assignment_request(
    object_id: str,
    *,
    api_version: str = "2025-06-30",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> HttpRequest:
    """``DELETE /access/entra/assignments/{objectId}``"""
    return build_request(
        "DELETE",
        f"/access/entra/assignments/{segment(object_id)}",
        api_version,
        headers,
        params,
    )
