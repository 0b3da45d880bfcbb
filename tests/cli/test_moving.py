"""`tallymark import` and `tallymark shadow` as they are called."""

import pytest


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("import", "lago", "--into", "acme"), id="import"),
        pytest.param(("shadow", "--organization", "acme"), id="shadow"),
    ],
)
def test_a_key_is_not_sent_unencrypted_nor_shown(run, command):
    """Refused before the database is looked at; the key came by the environment."""
    done = run(*command, "--url", "http://lago.internal:3000", LAGO_API_KEY="very-secret")
    assert done.returncode == 1
    assert "use https" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr


def test_without_a_key_it_is_asked_for(run):
    done = run("import", "lago", "--into", "acme", "--url", "https://lago.example")
    assert done.returncode == 1
    assert "API key of the organization there" in done.stdout
