# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Checked by pyright, not run: which handlers fit which events. Every ignored error here has to be one."""

from collections.abc import Sequence
from typing import Generic, TypeVar, assert_type

from engine.events import Dispatcher, Subscription

A = TypeVar("A")
B = TypeVar("B")


class Disc:
    damage = 20.0


class Hull:
    points = 100.0


class ContactBegan(Generic[A, B]):
    a: A
    b: B


class World: ...


dispatcher = Dispatcher(World())
assert_type(dispatcher, Dispatcher[World])
assert_type(dispatcher.context, World)


def hit(world: World, contact: ContactBegan[Disc, Hull]) -> None:
    contact.b.points -= contact.a.damage


def swapped(world: World, contact: ContactBegan[Hull, Disc]) -> None: ...


def hits(world: World, contacts: Sequence[ContactBegan[Disc, Hull]]) -> None: ...


def without_world(contact: ContactBegan[Disc, Hull]) -> None: ...


def any_event(world: object, event: object) -> int:
    return 0


assert_type(dispatcher.subscribe(ContactBegan[Disc, Hull], hit), Subscription)
assert_type(dispatcher.subscribe_batch(ContactBegan[Disc, Hull], hits), Subscription)
dispatcher.subscribe(ContactBegan[Disc, Hull], any_event)
dispatcher.subscribe(Disc, any_event)
dispatcher.subscribe(ContactBegan[Disc, Hull], lambda world, contact: assert_type(contact.a, Disc).damage)
dispatcher.subscribe_batch(Disc, lambda world, discs: assert_type(discs[0], Disc))
dispatcher.subscribe(Disc, lambda world, disc: assert_type(world, World))

dispatcher.subscribe(ContactBegan[Disc, Hull], swapped)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe(ContactBegan[Disc, Hull], hits)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe_batch(ContactBegan[Disc, Hull], hit)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe(ContactBegan[Disc, Hull], without_world)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe(Disc, hit)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe("Disc", any_event)  # pyright: ignore[reportArgumentType]
dispatcher.subscribe(Disc, lambda world, disc: disc.damge)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownLambdaType]  # fmt: skip
