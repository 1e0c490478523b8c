"""``python -m benchmarks`` is the whole benchmark."""

from benchmarks.run import main

raise SystemExit(main())
