"""The console: pages for people over the verbs of all areas. `charts/` draws its pictures."""
