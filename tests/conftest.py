"""Options of the test suite."""


def pytest_addoption(parser):
    parser.addoption(
        "--every-float32",
        action="store_true",
        help="compare elementary functions over all 2^32 values (make check-all)",
    )
