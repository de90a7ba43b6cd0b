-- Four roles: the owner creates and migrates, the writer collects, the reader only reads, and the web process does what the writer does
-- and registers servers. None gets a password here.
-- Parameters: owner, writer, reader, web (identifiers). They hold no dollar sign, which would end the blocks.
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
do $roles$ begin
    create role {web} login;
exception when duplicate_object then null;
end $roles$;
alter role {writer} noinherit;
grant {writer} to {web}
