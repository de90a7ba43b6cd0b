"""`python -m whalefall_pipelines.gate` is `whalefall-web`."""

from whalefall_pipelines.gate.command import main

main(prog_name="whalefall-web")
