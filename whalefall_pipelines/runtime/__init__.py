"""The processes of this machine: the embedded store, private servers, and Dagster's processes."""
