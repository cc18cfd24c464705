"""Where datagrams meet the world: UDP sockets on asyncio, loopback in a process, and bad networks on purpose."""
