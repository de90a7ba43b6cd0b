"""What probes of the servers for tests have in common: their deadlines, and the check of a failed one."""

import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SIZES

QUICK = Deadlines(connect_seconds=2, statement_seconds=30, instance_seconds=2)
# Long enough for a busy machine in tests that are not about the deadline.
PATIENT = Deadlines(connect_seconds=10, statement_seconds=30, instance_seconds=30)
# The password of refused logins; no error may contain it.
SECRET = "not to be seen anywhere"
LOGIN = Login("monitor", SECRET)


def refused(instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    """A probe that must fail."""
    with ServerFleet(deadlines).connect(SIZES, instance, login):
        raise AssertionError("connected")


@contextmanager
def failure(reason: Reason, kind: type[TargetError], secret: str | None = SECRET, *, within: float = 5) -> Generator[list[str]]:
    """The block fails with this error, in time and without the password; its message is the first of the list."""
    sentences: list[str] = []
    begun = time.monotonic()
    with pytest.raises(kind) as caught:
        yield sentences
    assert time.monotonic() - begun < within
    assert type(caught.value) is kind
    assert caught.value.reason is reason, caught.value
    assert secret is None or secret not in "".join(traceback.format_exception(caught.value))
    sentences.append(str(caught.value))
