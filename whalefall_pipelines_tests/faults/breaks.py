"""How each fault of a server is caused: a block in which the server, its network, its logins or its listing are as the matrix says.

The names are those of `matrix.py`. Each fault is repaired at the end of the block, or at the end of the test.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene
from whalefall_pipelines_tests.faults.targets import NAMES, MariadbTarget, OracleTarget, PostgresTarget, SqlServerTarget, Target
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, Address, dead_host, silent_host
from whalefall_pipelines_tests.servers.mariadb import RIGHTS, grow_unnoticed, in_system_tablespace, quoted
from whalefall_pipelines_tests.servers.oracle.double import VIEWS
from whalefall_pipelines_tests.servers.pooler import Pooler
from whalefall_pipelines_tests.servers.postgresql import new_name, superuser
from whalefall_pipelines_tests.servers.standby import is_cancelled, replaying_conflicts, standby_of

Break = Callable[[Scene], AbstractContextManager[None]]
MANY = 10_000
# Failures within two seconds are retried immediately, which other rows test.
QUICK = Deadlines(connect_seconds=3, statement_seconds=30, instance_seconds=4)
# The margin around a deadline is wide, because timing varies on a machine that runs other tests at the same time.
EDGE_SECONDS, MARGIN_SECONDS = 6.0, 2.5


def _target(scene: Scene) -> Target:
    assert scene.target
    return scene.target


def _proxy(scene: Scene) -> ChaosProxy:
    assert scene.proxy
    return scene.proxy


def _expect(scene: Scene, *new: str, gone: str | None = None) -> None:
    """Expect exactly these databases from now on; the neighbour may be the same server."""
    for name in {TARGET, NEIGHBOUR if scene.neighbour is scene.target else TARGET}:
        scene.expected[name] = scene.expected[name] - {gone} | set(new)


@contextmanager
def _impatient(scene: Scene, deadlines: Deadlines = QUICK) -> Generator[None]:
    before, scene.deadlines = scene.deadlines, deadlines
    yield
    scene.deadlines = before


@contextmanager
def _elsewhere(scene: Scene, address: Address) -> Generator[None]:
    proxy = _proxy(scene)
    scene.set_address(address.host, address.port)
    yield
    scene.set_address(proxy.host, proxy.port)


def refused(scene: Scene) -> AbstractContextManager[None]:
    return _elsewhere(scene, REFUSING)


@contextmanager
def dead(scene: Scene) -> Generator[None]:
    with dead_host() as address, _impatient(scene), _elsewhere(scene, address):
        yield


@contextmanager
def silent(scene: Scene) -> Generator[None]:
    with silent_host() as address, _impatient(scene), _elsewhere(scene, address):
        yield


@contextmanager
def _stepping(scene: Scene, **steps: Callable[[], None]) -> Generator[None]:
    for step, what in steps.items():
        setattr(scene.steps, step, what)
    yield
    scene.steps = type(scene.steps)()
    _proxy(scene).heal()


@contextmanager
def silent_in_mid_query(scene: Scene) -> Generator[None]:
    proxy = _proxy(scene)
    with _impatient(scene), _stepping(scene, before_connecting=proxy.heal, before_measuring=proxy.stall):
        yield


def reset_in_mid_result(scene: Scene) -> AbstractContextManager[None]:
    proxy = _proxy(scene)
    return _stepping(scene, before_connecting=proxy.heal, before_measuring=lambda: proxy.cut(after_bytes=40))


@contextmanager
def wrong_password(scene: Scene) -> Generator[None]:
    scene.set_password("not the password")
    yield
    scene.set_password(str(_target(scene).login.password))


def no_privilege_on_one(scene: Scene) -> AbstractContextManager[None]:
    return _target(scene).forbidden("shop")


def no_privilege_on_any(scene: Scene) -> AbstractContextManager[None]:
    return _target(scene).forbidden()


@contextmanager
def sees_nothing(scene: Scene) -> Generator[None]:
    target = _target(scene)
    if isinstance(target, PostgresTarget):
        with superuser(target.cluster) as cursor:
            cursor.execute("revoke select on pg_catalog.pg_database from public")
            yield
            cursor.execute("grant select on pg_catalog.pg_database to public")
        return
    assert isinstance(target, MariadbTarget)
    target.server.ask(f"revoke all privileges, grant option from {target.account}")
    yield
    target.server.ask(f"grant {RIGHTS} on *.* to {target.account}")


@contextmanager
def sees_some(scene: Scene) -> Generator[None]:
    """Two schemas, each by its own privilege; of the hidden ones, only some have tablespaces that reveal their names."""
    target = _target(scene)
    if isinstance(target, MariadbTarget):
        new = ("hr", "pay")
        target.create(*new)
        scene.afterwards.callback(target.drop, *new)
        _expect(scene, *new)
        for name in new:
            target.server.fill(name, "plain", 10)
        grants = [f"select on {name}.*" for name in ("app", "crm")]
        target.server.ask(f"revoke show view on *.* from {target.account}", *(f"grant {grant} to {target.account}" for grant in grants))
        yield
        target.server.ask(f"grant {RIGHTS} on *.* to {target.account}", *(f"revoke {grant} from {target.account}" for grant in grants))
    elif isinstance(target, SqlServerTarget):
        target.server.catalogue.revoke(target.login.username, "VIEW ANY DATABASE")
        yield
        target.server.catalogue.grant(target.login.username, "VIEW ANY DATABASE")
    elif isinstance(target, OracleTarget):
        target.server.double.revoke(*VIEWS)
        yield
        target.server.double.grant(*VIEWS)


@contextmanager
def dropped_meanwhile(scene: Scene) -> Generator[None]:
    target, is_dropped = _target(scene), False

    def drop() -> None:
        nonlocal is_dropped
        if not is_dropped:
            target.drop("wiki")
            is_dropped = True
            scene.afterwards.callback(target.create, "wiki")

    with _stepping(scene, before_measuring=drop):
        yield
    scene.expected[TARGET] -= {"wiki"}


@contextmanager
def pooled(scene: Scene) -> Generator[None]:
    target = _target(scene)
    with Pooler(target.host, target.port) as pooler, _elsewhere(scene, Address(pooler.host, pooler.port)):
        yield


@contextmanager
def recorded_login(scene: Scene) -> Generator[None]:
    """Every login is written down by a trigger, which fails in a session that is read-only by then."""
    target = _target(scene)
    assert isinstance(target, PostgresTarget)
    with superuser(target.cluster) as cursor:
        cursor.execute("create table public.logins (who text)")
        cursor.execute(
            "create function public.note() returns event_trigger security definer language plpgsql as "
            "$$begin insert into public.logins values (session_user); end$$"
        )
        cursor.execute("create event trigger noted on login execute function public.note()")
        cursor.execute("alter event trigger noted enable always")
        yield
        cursor.execute("select count(*) from public.logins where who = %s", (target.login.username,))
        assert cursor.fetchone() != (0,)
        cursor.execute("drop event trigger noted; drop function public.note(); drop table public.logins")


@contextmanager
def short_sessions(scene: Scene) -> Generator[None]:
    """The role ends its own transactions and statements after a second, and every look at the list of databases takes longer."""
    target, is_over = _target(scene), threading.Event()
    assert isinstance(target, PostgresTarget)
    cluster = target.cluster

    def hold_the_list() -> None:
        while not is_over.is_set():
            with superuser(cluster) as cursor:
                cursor.execute("begin; lock table pg_catalog.pg_database in access exclusive mode; select pg_sleep(1.5); commit")

    with superuser(cluster) as cursor:
        for name in ("statement_timeout", "transaction_timeout", "lock_timeout"):
            cursor.execute(f"alter role {target.login.username} set {name} = '1s'")
        holder = threading.Thread(target=hold_the_list)
        holder.start()
        try:
            yield
        finally:
            is_over.set()
            holder.join()
        cursor.execute(f"alter role {target.login.username} reset all")


@contextmanager
def replay_in_conflict(scene: Scene) -> Generator[None]:
    """The address is that of a hot standby, whose replay cancels whatever takes long."""
    target = _target(scene)
    assert isinstance(target, PostgresTarget)
    with (
        # beside its primary: what is in the home of an installation ends with it
        standby_of(target.cluster, target.cluster.folder.parent / new_name("standby")) as standby,
        _elsewhere(scene, Address(standby.host, standby.port)),
        replaying_conflicts(target.cluster),
    ):
        assert any(is_cancelled(standby) for _ in range(50)), "replay cancels nothing here"
        yield


@contextmanager
def in_other_bytes(scene: Scene) -> Generator[None]:
    """On a server with the encoding SQL_ASCII, as far as a probe can tell: the database it connects to has that encoding."""
    target = _target(scene)
    assert isinstance(target, PostgresTarget)
    with superuser(target.cluster) as cursor:
        cursor.execute("create database raw encoding 'SQL_ASCII' template template0")
    scene.afterwards.callback(target.drop, "raw")
    with superuser(target.cluster, "raw") as cursor:
        cursor.execute("set client_encoding to 'SQL_ASCII'")
        cursor.execute(b'create database "caf\xe9" template template0')
    scene.afterwards.callback(target.drop_bytes, b"caf\xe9")
    _expect(scene, "raw", r"caf\xe9")
    change = "update instances set default_database = %s where name = %s returning 1"
    query(scene.store, change, "raw", TARGET)
    yield
    query(scene.store, change, None, TARGET)


@contextmanager
def renamed(scene: Scene) -> Generator[None]:
    target = _target(scene)
    assert not isinstance(target, MariadbTarget)
    target.rename("wiki", "ledger")  # pyright: ignore[reportAttributeAccessIssue] - all but MariaDB have it
    scene.afterwards.callback(target.rename, "ledger", "wiki")  # pyright: ignore[reportAttributeAccessIssue]
    _expect(scene, "ledger", gone="wiki")
    yield


@contextmanager
def recreated(scene: Scene) -> Generator[None]:
    target = _target(scene)
    if isinstance(target, OracleTarget):
        target.server.double.recreate_tablespace("wiki")
    else:
        target.drop("wiki")
        target.create("wiki")
    yield


@contextmanager
def csv_table(scene: Scene) -> Generator[None]:
    target = _target(scene)
    assert isinstance(target, MariadbTarget)
    target.server.fill("wiki", "plain", 10)
    target.server.ask("create table wiki.listed (id int not null) engine=CSV")
    scene.afterwards.callback(target.server.ask, "drop table wiki.plain", "drop table wiki.listed")
    yield


@contextmanager
def old_statistics(scene: Scene) -> Generator[None]:
    target = _target(scene)
    assert isinstance(target, MariadbTarget)
    with in_system_tablespace(target.server) as options:
        grow_unnoticed(target.server, "wiki", options)
    scene.afterwards.callback(target.server.ask, "drop table wiki.grown")
    yield


@contextmanager
def half_dropped(scene: Scene) -> Generator[None]:
    target = _target(scene)
    assert isinstance(target, PostgresTarget)
    with superuser(target.cluster) as cursor:
        cursor.execute("update pg_database set datconnlimit = -2 where datname = 'wiki'")
        yield
        cursor.execute("update pg_database set datconnlimit = -1 where datname = 'wiki'")


@contextmanager
def half_gone(scene: Scene) -> Generator[None]:
    target = _target(scene)
    target.drop("app", "crm", "shop")
    yield
    target.create("app", "crm", "shop")


@contextmanager
def nothing_listed(scene: Scene) -> Generator[None]:
    target = _target(scene)
    target.drop(*NAMES)
    yield
    target.create(*NAMES)


@contextmanager
def many_databases(scene: Scene) -> Generator[None]:
    target, names = _target(scene), [f"many_{number:05}" for number in range(MANY)]
    if isinstance(target, MariadbTarget):
        target.server.ask(*(f"create database {quoted(name)}" for name in names))
        scene.afterwards.callback(target.server.ask, *(f"drop database {quoted(name)}" for name in names))
    elif isinstance(target, SqlServerTarget):
        target.server.catalogue.add_many(names)
        scene.afterwards.callback(target.server.catalogue.drop_many, names)
    elif isinstance(target, OracleTarget):
        target.server.double.add_tablespaces(names)
        scene.afterwards.callback(target.drop, *names)
    scene.expected[TARGET] |= frozenset(names)
    yield


@contextmanager
def many_tables(scene: Scene) -> Generator[None]:
    target = _target(scene)
    if isinstance(target, PostgresTarget):
        with superuser(target.cluster, "wiki") as cursor:
            for first in range(0, MANY, 500):
                cursor.execute(";".join(f"create table many_{number} (id int)" for number in range(first, first + 500)))
    elif isinstance(target, MariadbTarget):
        target.server.ask(*(f"create table wiki.many_{number} (id int)" for number in range(MANY)))
    scene.afterwards.callback(target.create, "wiki")
    scene.afterwards.callback(target.drop, "wiki")
    yield


def restarted(scene: Scene) -> AbstractContextManager[None]:
    is_done = False

    def restart() -> None:
        nonlocal is_done
        if not is_done:
            is_done = True
            _target(scene).restart()
            scene.mended_at = time.monotonic()

    return _stepping(scene, before_measuring=restart)


@contextmanager
def _slow(scene: Scene, seconds: float) -> Generator[None]:
    proxy, deadlines = _proxy(scene), Deadlines(connect_seconds=3, statement_seconds=30, instance_seconds=EDGE_SECONDS)
    steps = _stepping(scene, before_connecting=proxy.heal, before_measuring=lambda: proxy.hold(seconds))
    with _impatient(scene, deadlines), steps:
        yield


def just_within(scene: Scene) -> AbstractContextManager[None]:
    return _slow(scene, EDGE_SECONDS - MARGIN_SECONDS)


def just_beyond(scene: Scene) -> AbstractContextManager[None]:
    return _slow(scene, EDGE_SECONDS + MARGIN_SECONDS)


BREAKS: dict[str, Break] = {
    "connection refused": refused,
    "address that does not answer": dead,
    "server that accepts connections and never answers": silent,
    "server that goes silent during a query": silent_in_mid_query,
    "connection reset in the middle of a result": reset_in_mid_result,
    "wrong password": wrong_password,
    "missing privilege on one database": no_privilege_on_one,
    "missing privilege on every database": no_privilege_on_any,
    "login that sees no database": sees_nothing,
    "login that sees only some databases": sees_some,
    "database whose name is not UTF-8": in_other_bytes,
    "database renamed": renamed,
    "database dropped and created again": recreated,
    "CSV table": csv_table,
    "statistics older than the data": old_statistics,
    "database dropped between listing and measuring": dropped_meanwhile,
    "pooler instead of the server": pooled,
    "login trigger that writes": recorded_login,
    "role whose settings end its sessions": short_sessions,
    "hot standby whose replay cancels long statements": replay_in_conflict,
    "DROP DATABASE interrupted": half_dropped,
    "ten thousand databases": many_databases,
    "ten thousand tables": many_tables,
    "server restarted during a run": restarted,
    "slow server, just within the deadline": just_within,
    "slow server, just beyond the deadline": just_beyond,
    "empty list of databases": nothing_listed,
    "half of the databases gone from the list": half_gone,
}
