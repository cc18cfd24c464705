"""The server's side of snapshots: the state is taken once a tick for all, and each client told what it lacks.

What a client is told is a difference from a state it said it has. Most clients have one of a few states, so most
differences are made once and sent to many.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from engine.ecs import World
from engine.net.replication.delta import encode, encode_private
from engine.net.replication.interest import Interest, Places, Subsets
from engine.net.replication.layout import Layout
from engine.net.replication.prefabs import forget_prefabs
from engine.net.replication.quantise import Quantiser
from engine.net.replication.state import State
from engine.net.wire.errors import SchemaError
from engine.net.wire.protocol import Protocol
from engine.net.wire.system import MOST_FULL, MOST_SNAPSHOT, Checked, Full, Prefab, Snapshot

MOST_SENT = 32
"""States sent to a client and not yet acked, that are kept to build on."""
REPEATS = 3
"""Snapshots with which a new prefab is sent again: none of them can be read without it, and a resend takes its time."""
MOST_PREFABS = 4096
"""Prefabs after which those no longer in use are looked for."""
FULL_EVERY = 2.0
"""Seconds between two full snapshots for one client, at the least: they are long."""
MOST_BASES = 3
"""Different states that are built on for one snapshot, as far as `SPAN` allows: to make another difference costs as
much as to send it to many clients."""
SPAN = 2
"""Snapshots by which that may put a client back to an older state than the newest it has: differences to that are
longer."""


class Client:
    """What the server knows of what a client knows."""

    __slots__ = (
        "base",
        "forgets",
        "full_at",
        "held",
        "interest",
        "last",
        "player",
        "repeats",
        "sent",
        "shape",
        "told",
        "wants_full",
    )

    def __init__(self, player: int, interest: Interest | None) -> None:
        self.player = player
        self.interest = interest
        """Chooses what it is told; None where that is everything."""
        self.base: State | None = None
        """The newest it said it has, or the full one on its way to it."""
        self.held: dict[int, State] = {}
        """That one, and those shortly before that it said it had, by tick."""
        self.sent: dict[int, State] = {}
        """What it will have at a tick if that snapshot arrives."""
        self.forgets: list[Prefab] = []
        """What it has yet to be told to forget."""
        self.told: set[int] = set()
        """The prefabs it has been sent."""
        self.repeats: list[tuple[int, Prefab]] = []
        """Prefabs to be sent again, and how often."""
        self.shape = -1
        """The number of the last shape that has no prefab it lacks."""
        self.wants_full = True
        self.full_at = 0
        """The tick of the last full snapshot."""
        self.last: State | None = None
        """What it was sent last."""


class Replicator:
    """Takes the states of a world, and makes the snapshots for its clients.

    `rate` is the world's ticks a second, `every` how many of them lie between two calls of `take`. `budget` is how many
    bytes a second the snapshots for a client may take; None for as many as it takes to tell everything.
    """

    def __init__(
        self, protocol: Protocol, world: World, *, every: int = 2, rate: float = 60.0, budget: float | None = None
    ) -> None:
        self.protocol = protocol
        self.layout = Layout(protocol, rate)
        self.every = every
        self.budget = budget
        self.updates = 0
        """Entity updates sent: an entity told anew in one snapshot for one client is one."""
        self.bytes = 0
        """Bytes of snapshots sent."""
        self._quantiser = Quantiser(self.layout, world)
        self._clients: dict[int, Client] = {}
        self._now: State | None = None
        self._bodies: dict[tuple[int, int], tuple[State, State, bytes, int]] = {}
        self._snapshots: dict[int, Snapshot] = {}
        self._fulls: dict[int, tuple[State, bytes, int]] = {}
        self._common: dict[int, int] = {}
        self._subsets = Subsets()
        self._places: Places | None = None
        self._most_prefabs = MOST_PREFABS
        self._partial = budget is not None or protocol.declarations.radius is not None

    @property
    def state(self) -> State | None:
        """The state last taken."""
        return self._now

    @property
    def is_partial(self) -> bool:
        """Whether clients are not all told the same."""
        return self._partial

    def enter(self, client: int, player: int) -> None:
        """From now on make snapshots for a client, which owns the things of `player`."""
        interest = None
        if self._partial:
            allowance = None if self.budget is None else self.budget * self.every / self.layout.rate
            interest = Interest(self.layout, self._subsets, allowance)
        self._clients[client] = Client(player, interest)

    def leave(self, client: int) -> None:
        """The client is gone."""
        self._clients.pop(client, None)

    def acked(self, client: int, tick: int) -> None:
        """The client has the snapshot of that tick."""
        known = self._clients.get(client)
        if known is None:
            return
        state = known.sent.get(tick)
        if state is not None:
            known.base = known.held[tick] = state
            _forget_before(known.sent, tick + 1)
            _forget_before(known.held, tick - SPAN * self.every)

    def lost(self, client: int) -> None:
        """The client cannot make anything of what it gets. It is told everything anew, but not time and again."""
        known = self._clients.get(client)
        if known is not None and self._now is not None:
            known.wants_full |= self._now.tick - known.full_at >= FULL_EVERY * self.layout.rate

    def take(self, tick: int) -> None:
        """Look at the world. Raises `SchemaError` for a component the protocol says nothing of."""
        self._now = self._quantiser.take(tick)
        self._bodies.clear()
        self._snapshots.clear()
        self._fulls.clear()
        self._places = None
        self._common = self._common_bases()
        if len(self._quantiser.prefabs) > self._most_prefabs:
            self._forget_prefabs()

    def messages(self, client: int) -> list[object]:
        """What to send to a client now, after `take`: prefabs it lacks, then one snapshot."""
        known, now = self._clients.get(client), self._now
        if known is None or now is None:
            return []
        base = known.base
        target = self._target(known, now)
        messages: list[object] = []
        if known.repeats:
            messages += [prefab for _, prefab in known.repeats]
            known.repeats = [(left - 1, prefab) for left, prefab in known.repeats if left > 1]
        if target.shape.number != known.shape:
            messages += self._prefabs(known, target)
        if base is None or known.wants_full:
            messages.append(self._full(known, target))
            return messages
        if base.tick == target.tick:
            return messages
        if self._common and known.interest is None:
            base = known.held.get(self._common.get(base.tick, -1), base)
        body, updates = self._body(base, target)
        private = encode_private(base, target) if base.private or target.private else b""
        if len(body) + len(private) > MOST_SNAPSHOT:
            if known.interest is not None:
                messages.append(self._full(known, target))
                return messages
            # More than a message takes, and it may be so all the time: from now on it gets the most important.
            known.interest = Interest(self.layout, self._subsets, MOST_SNAPSHOT)
            self._partial = True
            return messages + self.messages(client)
        known.last = known.sent[target.tick] = target
        if len(known.sent) > MOST_SENT:
            del known.sent[next(iter(known.sent))]
        self.updates += updates
        self.bytes += len(body) + len(private)
        if known.interest is not None:
            known.interest.spent(len(body) + len(private))
        if private:
            messages.append(Snapshot(body + private))
            return messages
        snapshot = self._snapshots.get(id(body))
        if snapshot is None:
            snapshot = self._snapshots[id(body)] = Snapshot(body)
        messages.append(snapshot)
        return messages

    def checked(self, client: int | None = None) -> Checked | None:
        """The sums of the state last taken, good for all clients; None where they are not told everything.

        Of a client: the sums of what it was sent last.
        """
        if client is None:
            return None if self._now is None or self._partial else self._now.checked()
        known = self._clients.get(client)
        return None if known is None or known.last is None else known.last.checked()

    def _target(self, client: Client, now: State) -> State:
        """What the client is to know."""
        target = self._chosen(client, client.interest, now) if client.interest is not None else now
        if self.layout.private:
            private = self._quantiser.private(client.player, target.shape)
            if private:
                target = State(now.tick, target.shape, target.cells, private, now.parts, partial=target.partial)
        return target

    def _chosen(self, client: Client, interest: Interest, now: State) -> State:
        base = None if client.wants_full else client.base
        interest.refill()
        if base is not None and base.tick < now.tick and interest.affords(len(self._body(base, now)[0])):
            return now
        if self._places is None:
            self._places = Places(now)
        return interest.choose(base, now, self._places, self._quantiser.owned(client.player))

    def _prefabs(self, client: Client, target: State) -> list[object]:
        client.shape = target.shape.number
        if not client.forgets and target.shape.names <= client.told:
            return []
        prefabs = self._quantiser.prefabs
        lacking = sorted(target.shape.names - client.told)
        client.told.update(lacking)
        messages: list[object] = list(client.forgets)
        client.forgets.clear()
        for number in lacking:
            message = prefabs[number].message
            assert isinstance(message, Prefab)
            messages.append(message)
            if client.base is not None:
                client.repeats.append((REPEATS, message))
        return messages

    def _forget_prefabs(self) -> None:
        """Drop those that no state uses any more which a client may have or build on."""
        prefabs, now = self._quantiser.prefabs, self._now
        used = set(now.shape.names) if now is not None else set[int]()
        for client in self._clients.values():
            for state in (client.base, *client.held.values(), *client.sent.values()):
                if state is not None:
                    used |= state.shape.names
        gone = prefabs.keys() - used
        self._quantiser.forget(gone)
        self._most_prefabs = max(MOST_PREFABS, 2 * len(prefabs))
        for client in self._clients.values():
            dropped = sorted(gone & client.told)
            client.told -= gone
            client.shape = -1
            parts = [dropped[at : at + MOST_PREFABS] for at in range(0, len(dropped), MOST_PREFABS)]
            client.forgets += [Prefab(forget_prefabs(part)) for part in parts]

    def _common_bases(self) -> dict[int, int]:
        """By the tick of a state that clients have: that of the older one to build on for them.

        Those are put back that are the fewest, by the least.
        """
        ticks = [client.base.tick for client in self._clients.values() if client.base is not None]
        bases = sorted(set(ticks))
        common: dict[int, int] = {}
        if len(bases) <= MOST_BASES:
            return common
        clients = Counter(ticks)
        while len(bases) > MOST_BASES:
            _, place = min(((now - then) * clients[now], place) for place, (then, now) in enumerate(pairwise(bases), 1))
            now, then = bases.pop(place), bases[place - 1]
            clients[then] += clients[now]
            common[now] = then
            common.update({tick: then for tick, base in common.items() if base == now})
        return common

    def _body(self, base: State, target: State) -> tuple[bytes, int]:
        """The shared part of the difference between two states, made once for all that need it."""
        key = id(base.cells), id(target.cells)
        known = self._bodies.get(key)
        if known is None:
            body, updates = encode(base, target, self._quantiser.prefabs)
            known = self._bodies[key] = base, target, body, updates
        return known[2], known[3]

    def _full(self, client: Client, target: State) -> Full:
        key = id(target.cells)
        known = self._fulls.get(key)
        if known is None:
            known = self._fulls[key] = target, *encode(None, target, self._quantiser.prefabs)
        payload = known[1] + (encode_private(None, target) if target.private else b"")
        if len(payload) > MOST_FULL:
            raise SchemaError(f"a full snapshot takes {len(payload)} bytes, {MOST_FULL} are the most; replicate less")
        client.wants_full, client.full_at = False, target.tick
        client.base = client.last = target
        client.sent.clear()
        client.held.clear()
        self.updates += known[2]
        self.bytes += len(payload)
        return Full(payload)


def _forget_before(states: dict[int, State], tick: int) -> None:
    """Drop those of earlier ticks from states in order."""
    while states and (first := next(iter(states))) < tick:
        del states[first]
