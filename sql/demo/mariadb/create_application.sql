-- The login of the demo's forum. It is locked, because nobody uses it.
-- Parameters: none.
-- Returns: nothing.
create user if not exists 'forum_app'@'%' account lock
