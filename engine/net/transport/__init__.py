"""Where datagrams meet the world: UDP sockets on asyncio, loopback in a process, and bad networks on purpose.

Tokens over HTTPS are in `token_service` and `tls`, which take aiohttp along and so are imported by name.
"""

from engine.net.transport.conditioner import PERFECT, Conditions, Link
from engine.net.transport.loopback import Loopback, Way
from engine.net.transport.udp import SocketClosed, SocketOpened, Udp

__all__ = ["PERFECT", "Conditions", "Link", "Loopback", "SocketClosed", "SocketOpened", "Udp", "Way"]
