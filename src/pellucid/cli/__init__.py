"""The command line: ``pellucid fit``, ``predict``, ``evaluate``, ``summary`` and ``compile``."""
