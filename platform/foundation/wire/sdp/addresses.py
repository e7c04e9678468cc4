"""Addresses of strangers that packets may be sent to."""

from __future__ import annotations

import ipaddress

#: Cloud metadata services outside the link-local ranges (Amazon over IPv6, Alibaba).
METADATA = frozenset({"fd00:ec2::254", "100.100.100.200"})


def may_be_sent_to(host: str, *, loopback: bool) -> bool:
    """Whether ``host`` is an IP address of one machine on a network; loopback if so said.

    Link-local includes the cloud's metadata service at 169.254.169.254. Names are refused, among
    them ``.local`` ones.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        return False
    if address.is_loopback:
        return loopback
    return not (
        address.is_unspecified
        or address.is_multicast
        or address.is_link_local
        or address.is_reserved
        or str(address) in METADATA
    )
