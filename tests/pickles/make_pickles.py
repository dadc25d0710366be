"""Pickles the values of the official azure-communication-identity 1.5.0.

In a separate environment, since both packages have the same name:

    python -m venv official
    official/bin/pip install azure-communication-identity==1.5.0
    official/bin/python tests/pickles/make_pickles.py > tests/pickles/of_1_5_0.json

Each value is named by the expression that makes it, and pickled by every protocol, in base64.
"""

import json
import pickle
import sys
import warnings
from base64 import b64encode

from azure.communication import identity
from azure.communication.identity._api_versions import ApiVersion
from azure.communication.identity._shared.models import _MicrosoftBotIdentifier

EXPRESSIONS = [
    "CommunicationUserIdentifier('8:acs:resource_user')",
    "CommunicationUserIdentifier('user', raw_id='8:acs:resource_user')",
    "PhoneNumberIdentifier('+14255550123')",
    "MicrosoftTeamsUserIdentifier('user', cloud='DOD', is_anonymous=False)",
    "MicrosoftTeamsUserIdentifier('visitor', is_anonymous=True)",
    "MicrosoftTeamsAppIdentifier('app', cloud=CommunicationCloudEnvironment.GCCH)",
    "_MicrosoftBotIdentifier('app')",
    "UnknownIdentifier('48:calllogs')",
    "identifier_from_raw_id('4:+14255550123_7')",
    "identifier_from_raw_id('8:orgid:user')",
    "list(CommunicationTokenScope)",
    "list(CommunicationIdentifierKind)[:5]",
    "list(CommunicationCloudEnvironment)",
    "[ApiVersion.V2022_10_01, ApiVersion.V2023_10_01]",
]
NAMES = {
    **vars(identity),
    "ApiVersion": ApiVersion,
    "_MicrosoftBotIdentifier": _MicrosoftBotIdentifier,
}


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    pickles = {
        expression: [
            b64encode(pickle.dumps(eval(expression, NAMES), protocol)).decode()
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ]
        for expression in EXPRESSIONS
    }
    json.dump(pickles, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
