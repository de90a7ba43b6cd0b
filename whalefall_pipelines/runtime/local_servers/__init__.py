"""Database servers that whalefall starts on this machine: the embedded store, the demo's fleet, and the targets of tests."""
