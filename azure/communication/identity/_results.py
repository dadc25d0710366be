"""From the JSON of the service to what the clients return.

Each function is a ``cls`` callback of the generated operations.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineResponse

from ._shared.identifiers import CommunicationUserIdentifier

Response = PipelineResponse[Any, Any]
Headers = Mapping[str, str]

# Seven fraction digits at most, of which trailing zeros are left out. Python 3.10 reads three or
# six, and whole seconds are all that is wanted.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
