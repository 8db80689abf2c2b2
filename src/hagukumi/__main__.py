"""`python -m hagukumi` is `hagukumi`."""

from hagukumi.cli import main

raise SystemExit(main())
