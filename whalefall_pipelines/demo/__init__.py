"""`whalefall demo`: a small fleet of real servers with a simulated past. Nothing outside this package writes `method = 'simulated'`."""
