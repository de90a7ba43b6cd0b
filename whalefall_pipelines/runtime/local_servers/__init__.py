"""Database servers that whalefall itself starts on this machine: the embedded store, the demo's fleet, the tests' targets."""
