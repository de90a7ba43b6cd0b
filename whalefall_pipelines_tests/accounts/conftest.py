"""The real servers whose own answers are compared with those that are computed."""

from whalefall_pipelines_tests.fleet import conftest as fleet

servers, mariadb, mysql_server, maria, mysql = fleet.servers, fleet.mariadb, fleet.mysql_server, fleet.maria, fleet.mysql
