"""What all tests share: the options of the command line."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshot",
        metavar="FILE",
        help="write the page of the browser test's journey, with its composite, as PNG or JPEG",
    )
