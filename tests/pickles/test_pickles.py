"""Values that azure-communication-identity 1.5.0 pickled are loaded as those of this library.

The bytes were made with the official package: see make_pickles.py.
"""

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from azure.communication import identity
from azure.communication.identity._shared.models import _MicrosoftBotIdentifier

PICKLES: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("of_1_5_0.json").read_text("utf-8")
)
NAMES: dict[str, Any] = {**vars(identity), "_MicrosoftBotIdentifier": _MicrosoftBotIdentifier}


@pytest.mark.filterwarnings("ignore:MicrosoftBotIdentifier is deprecated")
@pytest.mark.parametrize(
    ("expression", "protocol", "text"),
    [
        pytest.param(expression, protocol, text, id=f"{expression}, protocol {protocol}")
        for expression, texts in PICKLES.items()
        for protocol, text in enumerate(texts)
    ],
)
def test_a_pickle_of_the_official_package_is_loaded(
    expression: str, protocol: int, text: str
) -> None:
    loaded = pickle.loads(base64.b64decode(text))
    expected = eval(expression, dict(NAMES))
    assert type(loaded) is type(expected)
    assert loaded == expected
    if isinstance(expected, list):
        assert [type(each) for each in loaded] == [type(each) for each in expected]
    else:
        # The optional parts of a phone number are not in pickles of 1.5.0, which has none.
        assert loaded.properties.items() <= expected.properties.items()
        assert loaded.raw_id == expected.raw_id
        assert hash(loaded) == hash(expected)
        assert repr(loaded) == repr(expected)
    assert pickle.loads(pickle.dumps(loaded, protocol)) == expected


def test_the_properties_of_a_pickled_teams_app_answer_the_former_keys() -> None:
    loaded = pickle.loads(base64.b64decode(PICKLES["_MicrosoftBotIdentifier('app')"][2]))
    assert loaded.properties["bot_id"] == "app"
