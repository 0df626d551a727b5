"""`python -m statek` is the command line."""

from statek.cli.main import main

raise SystemExit(main())
