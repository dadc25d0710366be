"""A token for each of some users, by a client that is created and used before workers fork."""

import os

from celery import Celery

from azure.communication.identity import CommunicationIdentityClient

client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"])
client.create_user()

FOLDER = os.environ["CELERY_FOLDER"]
app = Celery("by_celery", broker="filesystem://", backend=f"file://{FOLDER}/results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": f"{FOLDER}/messages",
        "data_folder_out": f"{FOLDER}/messages",
        "control_folder": f"{FOLDER}/control",
        "polling_interval": 0.02,
    },
    worker_prefetch_multiplier=1,
)


@app.task(soft_time_limit=60)
def issue(users: list[str]) -> list[tuple[int, str]]:
    """The process, and a token, for each user."""
    return [(os.getpid(), client.get_token(user, ["chat"], timeout=30).token) for user in users]
