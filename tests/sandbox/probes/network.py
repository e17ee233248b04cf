"""Ways out by the network."""

import fcntl
import socket
import struct

from probes.base import TOLD, CannotTest, connects, probe


@probe("network", "TCP to a port of the host, IPv4")
def _():
    return connects(socket.AF_INET, ("127.0.0.1", TOLD["tcp"]))


@probe("network", "TCP to a port of the host, IPv6")
def _():
    if not TOLD["tcp6"]:
        raise CannotTest("the host has no IPv6")
    return connects(socket.AF_INET6, ("::1", TOLD["tcp6"]))


@probe("network", "UDP to a port of the host")
def _():
    return connects(socket.AF_INET, ("127.0.0.1", TOLD["udp"]), socket.SOCK_DGRAM)


@probe("network", "TCP to an address of the host beyond loopback")
def _():
    if not TOLD["address"]:
        raise CannotTest("the host has no address beyond loopback")
    return connects(socket.AF_INET, (TOLD["address"], TOLD["tcp"]))


@probe("network", "a datagram to anywhere (no route)")
def _():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 53))
        except OSError:
            return False
    return True


@probe("network", "a datagram to anywhere, IPv6")
def _():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("2001:db8::1", 53))
        except OSError:
            return False
    return True


@probe("network", "names are looked up (DNS)")
def _():
    try:
        return bool(socket.getaddrinfo("example.org", 80))
    except OSError:
        return False


@probe("network", "a network card beside loopback")
def _():
    return {line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line} != {"lo"}


@probe("network", "a route that leads out")
def _():
    return len(open("/proc/net/route").readlines()) > 1


@probe("network", "an abstract socket of the host")
def _():
    return connects(socket.AF_UNIX, "\0" + TOLD["abstract"])


@probe("network", "names of the host's sockets in /proc/net/unix")
def _():
    return TOLD["abstract"] in open("/proc/net/unix").read()


@probe("network", "raw IP")
def _():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


@probe("network", "ping")
def _():
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as one:
            one.connect(("192.0.2.1", 0))
    except OSError:
        return False
    return True


for _name, _family in (
    ("packets (AF_PACKET)", 17),
    ("virtual machines (AF_VSOCK)", 40),
    ("the kernel's crypto (AF_ALG)", 38),
    ("bluetooth", 31),
    ("keys of IPsec (AF_KEY)", 15),
    ("express data path (AF_XDP)", 44),
    ("remote calls (AF_RXRPC)", 33),
    ("cluster calls (AF_TIPC)", 30),
    ("SMC", 43),
    ("near field (AF_NFC)", 39),
):

    @probe("network", f"socket family: {_name}")
    def _(family=_family):
        for kind in (1, 2, 3, 5):
            try:
                socket.socket(family, kind).close()
            except OSError:
                continue
            return True
        return False


@probe("network", "any other family of sockets")
def _():
    for family in set(range(1, 64)) - {1, 2, 10, 16}:
        for kind in (1, 2, 3, 5):
            try:
                socket.socket(family, kind).close()
            except OSError:
                continue
            return True
    return False


@probe("network", "netlink beyond the list of addresses (audit, netfilter, events)")
def _():
    for protocol in range(1, 24):
        try:
            socket.socket(16, socket.SOCK_RAW, protocol).close()
        except OSError:
            continue
        return True
    return False


@probe("network", "giving loopback another address")
def _():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sH2s4s8s", b"lo", socket.AF_INET, b"", socket.inet_aton("127.0.0.9"), b"")
        try:
            fcntl.ioctl(one, 0x8916, request)
        except OSError:
            return False
    return True
