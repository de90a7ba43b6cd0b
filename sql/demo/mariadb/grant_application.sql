-- What the demo's forum may do.
-- Parameters: none.
-- Returns: nothing.
grant select, insert, update, delete on forum.* to 'forum_app'@'%'
