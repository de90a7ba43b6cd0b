"""The doctor's checks of passwords and servers: fine, or a problem with one next step."""

from whalefall_pipelines.doctor.outcome import Outcome, Severity
from whalefall_pipelines.inventory.doctor_checks import CredentialFact, InstanceFact, check_credentials, check_instances
from whalefall_pipelines_tests.doctor.outcomes import bad


def test_a_password_that_cannot_be_read_is_a_problem_when_it_is_used() -> None:
    fine = CredentialFact("fine", is_used=True, why_not=None)
    assert bad(check_credentials([fine])) == []
    for is_used, severity, step in (
        (True, Severity.PROBLEM, "bring it back."),
        (False, Severity.WARNING, "ignore it, because no active instance uses it, or bring it back."),
    ):
        (outcome,) = bad(check_credentials([fine, CredentialFact("a", is_used, "It cannot be read; bring it back.")]))
        assert outcome == (severity, "It cannot be read.", step)


def test_an_unreachable_server_gets_the_advice_of_its_error() -> None:
    refused = InstanceFact("a", error="PostgreSQL at h:1: refused; is it running?")
    outcomes = bad(check_instances([refused, InstanceFact("b", error="Odd.")]))
    assert outcomes == [
        (Severity.PROBLEM, "a: PostgreSQL at h:1: refused.", "is it running?"),
        (Severity.PROBLEM, "b: Odd.", "run `whalefall instances test b`."),
    ]


def test_a_missing_grant_is_a_problem_if_sizes_are_missing_and_a_warning_otherwise() -> None:
    missing = (("x", "run on that server: GRANT monitor;"), ("y", "…"))
    outcomes = bad(
        check_instances(
            [
                InstanceFact("both", missing_grants=("GRANT stats;",), missing=missing),
                InstanceFact("sizes", missing=missing),
                InstanceFact("right", missing_grants=("GRANT stats;",)),
                InstanceFact("fine"),
            ]
        )
    )
    assert [(severity, step) for severity, _, step in outcomes] == [
        (Severity.PROBLEM, "run on that server: GRANT stats;"),
        (Severity.PROBLEM, "run on that server: GRANT monitor;"),
        (Severity.WARNING, "run on that server: GRANT stats;"),
    ]
    assert "both: x, y cannot be measured" in outcomes[0][1]


def test_fine_servers_are_one_line_and_no_server_is_a_warning() -> None:
    assert check_instances([InstanceFact("a"), InstanceFact("b")]) == [
        Outcome("instances", Severity.OK, "2 of 2 are reachable with all privileges.")
    ]
    ((severity, _, step),) = bad(check_instances([]))
    assert (severity, "whalefall instances add" in step) == (Severity.WARNING, True)
