"""Logs never hold a secret."""

import logging

import pytest
from azure.core.exceptions import HttpResponseError
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator

APP = "11111111-2222-3333-4444-555555555555"
USER = "66666666-7777-8888-9999-000000000000"


def test_the_trace_of_all_calls_holds_no_secret(
    make_client: ClientFactory, emulator: IdentityEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signatures: list[str] = []
    client = make_client.from_connection_string(
        emulator.connection_string,
        logging_enable=True,
        raw_response_hook=lambda response: signatures.append(
            response.http_request.headers["Authorization"].partition("Signature=")[2]
        ),
    )
    entra_token = emulator.issue_entra_token(user_object_id=USER, client_id=APP)
    user, first = client.create_user_and_token(["chat"])
    second = client.get_token(user, ["chat"])
    third = client.get_token_for_teams_user(entra_token, APP, USER)
    with pytest.raises(HttpResponseError):
        client.get_token_for_teams_user(entra_token[:-9], APP, USER)
    client.revoke_tokens(user)

    assert len(signatures) == 5
    secrets = [emulator.access_key, entra_token[:-9], *signatures]
    secrets += [token.token for token in (first, second, third)]
    for secret in secrets:
        assert secret not in caplog.text
    # It is a trace all the same.
    for shown in ("createTokenWithScopes", user.raw_id, "expiresOn", '"token": "REDACTED'):
        assert shown in caplog.text


def test_a_second_attempt_logs_no_signature_of_the_first(
    scripted_client: EitherClient, service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.will_answer(503)
    with pytest.raises(HttpResponseError):
        scripted_client.create_user(retry_total=1, logging_enable=True)
    assert len(service.requests) == 2
    assert "'Authorization': 'REDACTED'" in caplog.text
    assert "Signature=" not in caplog.text


def test_nothing_is_traced_that_was_not_asked_for(
    make_client: ClientFactory, emulator: IdentityEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "azure")
    client = make_client.from_connection_string(emulator.connection_string)
    client.create_user()
    # One line for each request and response at INFO, as all Azure clients write.
    assert {record.levelno for record in caplog.records} == {logging.INFO}
    caplog.clear()
    client.create_user(logging_enable=True)
    assert logging.DEBUG in {record.levelno for record in caplog.records}


def test_what_support_asks_for_is_logged_at_info(
    make_client: ClientFactory, service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "azure")
    service.will_answer(
        201,
        {"identity": {"id": "8:acs:x"}},
        ms_cv="CV.0",
        x_azure_ref="REF",
        api_supported_versions="2025-06-30",
        x_other="OTHER",
    )
    make_client(service.endpoint).create_user()
    logged = caplog.text.lower()
    for shown in ("'ms-cv': 'cv.0'", "'x-azure-ref': 'ref'", "versions': '2025-06-30'"):
        assert shown in logged
    assert "'x-other': 'redacted'" in logged
    assert "signature=" not in logged
