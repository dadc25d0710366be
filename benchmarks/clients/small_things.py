"""Costs that need no server, as a line of JSON: clients made, identifiers parsed."""

import json
import time
import tracemalloc

from azure.communication.identity import CommunicationIdentityClient, identifier_from_raw_id

ACCESS_KEY = "YmVuY2htYXJrLWtleS1iZW5jaG1hcmsta2V5LWJlbmNobWFyaw=="
CLIENTS = 200
IDENTIFIERS = 10_000
_PREFIXES = ["8:acs:res_", "8:orgid:", "28:orgid:", "4:+1555", "8:gcch-acs:a_b_", "8:teamsvisitor:"]


def make() -> CommunicationIdentityClient:
    return CommunicationIdentityClient("https://example.communication.azure.com", ACCESS_KEY)


def main() -> None:
    make()
    began = time.process_time()
    clients = [make() for _ in range(CLIENTS)]
    construction = (time.process_time() - began) / CLIENTS
    clients.clear()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    clients = [make() for _ in range(CLIENTS)]
    size = (tracemalloc.get_traced_memory()[0] - before) / CLIENTS
    tracemalloc.stop()
    raw_ids = [f"{_PREFIXES[number % 6]}{number:08x}" for number in range(IDENTIFIERS)]
    began = time.process_time()
    for raw_id in raw_ids:
        identifier_from_raw_id(raw_id)
    parsing = time.process_time() - began
    print(json.dumps({"construction": construction, "size": size, "parsing": parsing}))


main()
