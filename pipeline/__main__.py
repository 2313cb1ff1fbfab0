"""`python -m pipeline` is `c360`."""

from pipeline.cli import main

main()
