"""A gateway with real networks, in the private network, for all tests here that want one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.server import Server
from tests.sfu import private_network
from tests.sfu.stream import TOKEN

LOG = pytest.StashKey[Path]()
TAIL = 40


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("sfu") and not private_network.inside():
        pytest.fail("needs the real servers and their private network: make test-sfu", False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("sfu"):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a gateway that pages of any origin may call."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    request.config.stash[LOG] = log
    with Server(log, "--tokens", TOKEN, "--origins", "*") as running:
        yield running.url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    """Show what the gateway said with a test that failed."""
    report: pytest.TestReport = yield
    log = item.config.stash.get(LOG, None)
    if report.failed and log is not None and log.exists():
        lines = log.read_text(errors="replace").splitlines()[-TAIL:]
        report.sections.append(("the gateway said", "\n".join(lines)))
    return report
