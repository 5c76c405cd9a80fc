"""What tests of the settings share: settings from a few variables, or the complaint about one of them."""

from __future__ import annotations

import pytest

from models.errors import UsageError
from worker.settings import read_settings

PASSWORD = "k33p-this-dark"


def settings_or_complaint(environment):
    try:
        return read_settings(environment)
    except UsageError as error:
        return str(error)


def check_refusal(name, value):
    """The error is about what the user set: it names the variable, in one line, and shows no password."""
    with pytest.raises(UsageError) as caught:
        read_settings({name: value})
    message = str(caught.value)
    assert name in message
    assert "\n" not in message
    assert PASSWORD not in message
