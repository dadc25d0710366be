"""Examples of the identity client, one after the other.

    python samples/identity_samples.py

The examples run against a resource. Its connection string is in the environment variable
AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING, COMMUNICATION_SERVICES_CONNECTION_STRING (the name in
Microsoft's quickstarts) or AZURE_COMMUNICATION_CONNECTION_STRING (the name for the Azure CLI). Or
its endpoint is in AZURE_COMMUNICATION_SERVICE_ENDPOINT, and DefaultAzureCredential signs in. If
none of them is set, the examples run against the emulator.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone

from azure.core.rest import HttpRequest
from sample_service import Service, TeamsUser, said_in_one_line, service

from azure.communication.identity import (
    ApiVersion,
    CommunicationIdentityClient,
    CommunicationTokenCredential,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
    EntraPrincipalType,
    TeamsExtensionPrincipalType,
)


@contextmanager
def client_of(service: Service) -> Iterator[CommunicationIdentityClient]:
    with ExitStack() as stack:
        with said_in_one_line():
            if service.connection_string:
                client = CommunicationIdentityClient.from_connection_string(
                    service.connection_string
                )
            else:
                from azure.identity import DefaultAzureCredential

                credential = stack.enter_context(DefaultAzureCredential())
                client = CommunicationIdentityClient(service.endpoint, credential)
        yield stack.enter_context(client)


def create_a_user(client: CommunicationIdentityClient) -> CommunicationUserIdentifier:
    user = client.create_user()
    print("Created the user", user.raw_id)
    return user


def issue_or_refresh_a_token(
    client: CommunicationIdentityClient, user: CommunicationUserIdentifier
) -> None:
    token = client.get_token(user, [CommunicationTokenScope.CHAT])
    print("Issued a token for chat; it expires", utc(token.expires_on))


def create_a_user_with_a_token(client: CommunicationIdentityClient) -> CommunicationUserIdentifier:
    user, token = client.create_user_and_token(
        [CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP]
    )
    print("Created the user", user.raw_id, "with a token; it expires", utc(token.expires_on))
    return user


def issue_a_token_for_one_hour(
    client: CommunicationIdentityClient, user: CommunicationUserIdentifier
) -> None:
    token = client.get_token(
        user, [CommunicationTokenScope.VOIP_JOIN], token_expires_in=timedelta(hours=1)
    )
    print("Issued a token for joining calls; it expires", utc(token.expires_on))


def exchange_the_token_of_a_teams_user(
    client: CommunicationIdentityClient, teams_user: TeamsUser
) -> None:
    token = client.get_token_for_teams_user(
        teams_user.aad_token, teams_user.client_id, teams_user.user_object_id
    )
    print("Exchanged the token of a Teams user; the new one expires", utc(token.expires_on))


def keep_a_token_fresh(
    client: CommunicationIdentityClient, user: CommunicationUserIdentifier
) -> None:
    with CommunicationTokenCredential(
        token_refresher=lambda: client.get_token(user, [CommunicationTokenScope.CHAT]),
        proactive_refresh=True,
    ) as credential:
        token = credential.get_token()
        print("Handed out a token that is kept fresh; it expires", utc(token.expires_on))


def create_a_user_with_an_id_of_your_own(client: CommunicationIdentityClient) -> None:
    preview = ApiVersion.V2025_03_02_PREVIEW
    user = client.create_user(custom_id="sample-4711", api_version=preview)
    same_user = client.create_user(custom_id="sample-4711", api_version=preview)
    print("Created the user", user.raw_id, "and found it again:", user == same_user)
    detail = client.get_user_detail(user, api_version=preview)
    print("Its own id is", detail.custom_id)
    client.delete_user(user)


def let_a_teams_phone_user_in(client: CommunicationIdentityClient, teams_user: TeamsUser) -> None:
    ids = (teams_user.tenant_id, teams_user.user_object_id)
    client.upsert_teams_extension_assignment(
        *ids, TeamsExtensionPrincipalType.USER, client_ids=[teams_user.client_id]
    )
    assignment = client.get_teams_extension_assignment(*ids)
    print("Let a Teams Phone user in through", len(assignment.client_ids), "application")
    client.delete_teams_extension_assignment(*ids)


def let_an_entra_user_in(client: CommunicationIdentityClient, teams_user: TeamsUser) -> None:
    preview = ApiVersion.V2025_03_02_PREVIEW
    object_id = teams_user.user_object_id
    client.upsert_entra_assignment(
        object_id,
        teams_user.tenant_id,
        EntraPrincipalType.USER,
        [teams_user.client_id],
        api_version=preview,
    )
    found = client.list_entra_assignments(api_version=preview)
    object_ids = [assignment.object_id for assignment in found]
    print("Let an Entra user in; it is on the list:", object_id in object_ids)
    # One request deletes and replaces several assignments.
    client.update_entra_assignments({object_id: None}, api_version=preview)


def send_a_request_of_your_own(
    client: CommunicationIdentityClient, user: CommunicationUserIdentifier
) -> None:
    url = f"/identities/{user.raw_id}?api-version={ApiVersion.V2025_03_02_PREVIEW.value}"
    response = client.send_request(HttpRequest("GET", url))
    print("Sent a request of your own; the status is", response.status_code)


def revoke_the_tokens(
    client: CommunicationIdentityClient, user: CommunicationUserIdentifier
) -> None:
    client.revoke_tokens(user)
    print("Revoked the tokens of", user.raw_id)


def delete_a_user(client: CommunicationIdentityClient, user: CommunicationUserIdentifier) -> None:
    client.delete_user(user)
    print("Deleted the user", user.raw_id)


def utc(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, timezone.utc).isoformat(sep=" ")


def main() -> None:
    with service() as chosen, client_of(chosen) as client:
        user = create_a_user(client)
        issue_or_refresh_a_token(client, user)
        issue_a_token_for_one_hour(client, user)
        keep_a_token_fresh(client, user)
        send_a_request_of_your_own(client, user)
        revoke_the_tokens(client, user)
        delete_a_user(client, user)

        user = create_a_user_with_a_token(client)
        delete_a_user(client, user)

        create_a_user_with_an_id_of_your_own(client)

        if chosen.teams_user:
            exchange_the_token_of_a_teams_user(client, chosen.teams_user)
            let_a_teams_phone_user_in(client, chosen.teams_user)
            let_an_entra_user_in(client, chosen.teams_user)


if __name__ == "__main__":
    ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_args()
    main()
