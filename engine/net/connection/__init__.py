"""Secure connections and delivery, without I/O: datagrams and the time in, datagrams and events out."""

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.delivery import BacklogError, Limits
from engine.net.connection.events import (
    SERVER,
    Connected,
    Disconnected,
    Event,
    Reason,
    Received,
    Refusal,
    Refused,
    Settled,
    post_event,
    route_messages,
)
from engine.net.connection.invite import Invite, InviteError
from engine.net.connection.issuer import Admitted, Door, Issuer, Password, TokenRequest, TurnedAway, open_door
from engine.net.connection.netcode_server import Ignored
from engine.net.connection.server import Peer, Server
from engine.net.connection.token import ConnectToken, issue_token

__all__ = [
    "SERVER",
    "Address",
    "Admitted",
    "BacklogError",
    "Client",
    "ConnectToken",
    "Connected",
    "Disconnected",
    "Door",
    "Event",
    "Ignored",
    "Invite",
    "InviteError",
    "Issuer",
    "Limits",
    "Password",
    "Peer",
    "Reason",
    "Received",
    "Refusal",
    "Refused",
    "Server",
    "Settled",
    "TokenRequest",
    "TurnedAway",
    "issue_token",
    "open_door",
    "post_event",
    "route_messages",
]
