-- Three roles: the owner creates and migrates, the writer collects, the reader only reads. None gets a password here.
-- Parameters: owner, writer, reader (identifiers). They hold no dollar sign, which would end the blocks.
-- Returns: nothing. The writer inherits nothing, so that what it may do as the owner it does only where it says so.
do $roles$ begin
    create role {owner} login;
exception when duplicate_object then null;
end $roles$;
do $roles$ begin
    create role {writer} login noinherit;
exception when duplicate_object then null;
end $roles$;
do $roles$ begin
    create role {reader} login;
exception when duplicate_object then null;
end $roles$;
alter role {writer} noinherit
