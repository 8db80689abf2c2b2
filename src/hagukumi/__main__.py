"""`python -m hagukumi` is `hagukumi`."""

from hagukumi.app.cli import main

raise SystemExit(main())
