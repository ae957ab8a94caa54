"""Settings of adapters: a value that an adapter cannot use is an error that names the generator and the setting."""

from typing import Any

import pytest

from vbench_lite.adapters.command import CommandSettings
from vbench_lite.adapters.settings import read_settings
from vbench_lite.adapters.simulated import Behaviour
from vbench_lite.errors import UsageError
from vbench_lite.records import Definition

MAKE = ["make", "{out}"]


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Behaviour, {"secconds": 1}, 'the own adapter has no setting "secconds". Did you mean "seconds"?'),
        (Behaviour, {"seconds": "1"}, '"seconds" is \'1\': expected a number'),
        (Behaviour, {"wait": "sleeps"}, '"wait" is \'sleeps\': expected one of sleep, compute, claim'),
        (Behaviour, {"fail_prompts": ["a", 2]}, '"fail_prompts" is [\'a\', 2]: expected every item to be a string'),
        (CommandSettings, {"command": MAKE, "resident": 1}, '"resident" is 1: expected true or false'),
        (CommandSettings, {"command": MAKE, "env": {"A": ["b"]}}, '"env" is '),
        (CommandSettings, {"command": MAKE, "suffix": ".txt"}, '"suffix" is \'.txt\': expected one of '),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(kind: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_settings(kind, Definition("mine", "diffusion", "own", settings=settings))
    assert str(error.value).startswith(f'"mine": {message}')


def test_settings_of_the_runner_are_left_to_it_and_lists_become_what_the_record_asks_for() -> None:
    settings = {"batch_size": 4, "fail_prompts": ["a"], "seconds": 2}
    found = read_settings(Behaviour, Definition("mine", "diffusion", "own", settings=settings))
    assert (found.fail_prompts, found.seconds) == (("a",), 2.0)
