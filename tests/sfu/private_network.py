"""A network of the tests' own: `python -m tests.sfu.private_network COMMAND ...` runs inside it.

A namespace with loopback and one more interface: aioice, libnice and Firefox ignore 127.0.0.1 and
want an address that is none, and Firefox gathers only with a default route. Nothing outside can be
reached from inside, so whoever asked a third party there would fail.
"""

import os
import socket
import subprocess
import sys

ADDRESS = "10.99.0.1"
"""Of this side; the other end of the cable exists and nobody is there."""

SETUP = f"""
ip link set lo up
ip link add sfu0 type veth peer name sfu1
ip addr add {ADDRESS}/24 dev sfu0
ip link set sfu0 up
ip link set sfu1 up
ip route add default via 10.99.0.2 dev sfu0
exec "$@"
"""

ADVICE = """\
The tests with real servers need a network namespace of their own, and this machine makes none: be
root, or allow user namespaces without privileges (sysctl kernel.unprivileged_userns_clone=1); in
a container, give it the capability SYS_ADMIN (docker run --cap-add SYS_ADMIN)."""


def inside() -> bool:
    """Whether this process is in such a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ADDRESS, 0))
        except OSError:
            return False
    return True


def main() -> int:
    """Become the command, inside."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-r", "-n"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        print(ADVICE, file=sys.stderr)
        return 1
    command = [*unshare, "sh", "-e", "-c", SETUP, "sh", *sys.argv[1:]]
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
