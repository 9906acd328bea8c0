"""The command, as `python -m blendmill`."""

from render.cli.main import main

main()
