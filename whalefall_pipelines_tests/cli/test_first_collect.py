"""What a newcomer sees after the first collection: the product's own unfinished work is not theirs."""

import json
from collections.abc import Callable

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.cli.trees import Home
from whalefall_pipelines_tests.servers.postgresql import create_login

pytestmark = pytest.mark.process


def test_right_after_the_first_collection_nothing_is_unfinished(
    prepared_home: Callable[..., Home], postgres_server: PostgresCluster
) -> None:
    login = create_login(postgres_server, "monitor")
    home = prepared_home({"MONITOR_PASSWORD": str(login.password)})
    home.succeed("store", "start")
    address = ("--engine", "postgresql", "--host", postgres_server.host, "--port", str(postgres_server.port))
    home.succeed("instances", "add", "shop", *address, "--username", login.username, "--secret", "env:MONITOR_PASSWORD")
    home.succeed("collect")
    home.succeed("verify")
    checks = json.loads(home.run("doctor", "--no-instances", "--json").stdout)
    # `whalefall up` does not run in this home, and neither do its schedules.
    elsewhere = {"daemon", "automations"}
    assert [check for check in checks if check["severity"] != "ok" and check["check"] not in elsewhere] == []
