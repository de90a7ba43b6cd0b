"""A change of single fields of a registered instance, as the entry that it would have been registered with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_entries import RawEntry
from whalefall_pipelines.inventory.registration import RegisteredInstance, describe_entry

# The keys that an instance need not have.
CLEARABLE_KEYS = ("database", "sslmode", "sslrootcert", "capacity_limit")
_OF_LOGIN = ("username", "secret", "credential_name")


@dataclass(frozen=True, slots=True)
class EntryChange:
    """The new texts of fields by their key in a fleet file, the fields that are cleared, and the tags that come and go.

    `password` is in plain text, and is encrypted when it is stored.
    """

    values: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    cleared: Collection[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    removed_tags: Collection[str] = ()
    password: str | None = field(default=None, repr=False)

    @property
    def keeps_secret(self) -> bool:
        """Whether the login keeps its password."""
        return self.password is None and "secret" not in self.values

    def applied_to(self, registered: RegisteredInstance) -> RawEntry:
        """The entry of this instance with the change.

        Raises:
            InputError: it has no such tag.
        """
        entry = registered.entry
        unknown = sorted(set(self.removed_tags) - set(entry.tags))
        if unknown:
            raise InputError(f"Nothing was changed: {entry.name!r} has no tag {', '.join(map(repr, unknown))}.")
        before = {key: text for key, text in describe_entry(entry).items() if text is not None and key != "tags"}
        if self.password is not None or not self.values.keys().isdisjoint(_OF_LOGIN):
            before |= {"credential_name": before.pop("credential"), "username": registered.login.username}
        values = {key: text for key, text in before.items() if key not in self.cleared}
        tags = {key: value for key, value in entry.tags.items() if key not in self.removed_tags}
        return RawEntry({"name": entry.name, **values, **self.values}, {**tags, **self.tags})
