"""The question who can get into a server and what they may do there, and the Protocol of its adapters (`<engine>/accounts.py`)."""

from typing import Protocol

from whalefall_pipelines.domain.accounts import AccountListing, AccountPrivileges
from whalefall_pipelines.fleet.probe import Probe, Question


class AccountsProbe(Probe, Protocol):
    """An open connection that reads accounts. No statement reads a secret or a hash, and none is asked once per account."""

    def list_accounts(self) -> AccountListing:
        """Every account of the server with its attributes, built-in ones included.

        Raises:
            SizesError: the login may not list accounts; the message has the GRANT that cures it.
        """
        ...

    def read_privileges(self, listing: AccountListing, /) -> AccountPrivileges:
        """Memberships and privileges of these accounts. What cannot be read, such as one database, is in `unread` with its cure.

        Raises:
            SizesError: the server itself failed or was silent.
        """
        ...


ACCOUNTS: Question[AccountsProbe] = Question("accounts")
