-- What the monitoring login needs: names and file sizes, no row of any table.
-- Parameters: none.
-- Returns: nothing.
grant process, show databases, show view on *.* to 'whalefall_monitor'@'%'
