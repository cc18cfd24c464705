"""Bindings: which sources drive which slot, now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from engine.input.action import Action, Slot
from engine.input.errors import InputError
from engine.input.source import Chord, HalfAxis, Source, Stick, device_of, source_from_text, source_to_text


class Bindings:
    """The sources of every slot of some actions; starts with their defaults."""

    def __init__(self, actions: Iterable[Action[Any]]) -> None:
        self._defaults = {slot: slot.action.defaults[slot.part] for action in actions for slot in action.slots}
        self._sources = dict(self._defaults)
        self.version = 0
        """Changes whenever a binding does."""

    @property
    def slots(self) -> list[Slot]:
        """All slots, in order of declaration: the rows of a settings page."""
        return list(self._sources)

    def __getitem__(self, slot: Slot) -> tuple[Source, ...]:
        return self._sources[slot]

    def bind(self, slot: Slot, *sources: Source) -> None:
        """Bind these sources and no others. Raises `InputError` if one cannot drive the slot."""
        if slot not in self._sources:
            raise InputError(f"{slot!r} belongs to other controls")
        for source in sources:
            slot.action.check(slot.part, source)
        self._sources[slot] = tuple(dict.fromkeys(sources))
        self.version += 1

    def assign(self, slot: Slot, source: Source, *, steal: bool = False) -> list[Slot]:
        """Bind `source` in place of those on the same device, as a row of a settings page does.

        Returns the other slots that have the source as well; with `steal` it is taken away from them.
        """
        shared = self.conflicts(slot, source)
        kept = [other for other in self[slot] if device_of(other) is not device_of(source)]
        self.bind(slot, *kept, source)
        for other in shared if steal else ():
            self.bind(other, *(own for own in self[other] if not overlap(own, source)))
        return shared

    def reset(self, slot: Slot | None = None) -> None:
        """Back to the default, of one slot or of all."""
        if slot is None:
            self._sources = dict(self._defaults)
        else:
            self._sources[slot] = self._defaults[slot]
        self.version += 1

    def conflicts(self, slot: Slot, source: Source) -> list[Slot]:
        """The other slots that `source` drives too."""
        return [
            other for other, own in self._sources.items() if other != slot and any(overlap(one, source) for one in own)
        ]

    def all_conflicts(self) -> list[tuple[Source, list[Slot]]]:
        """Every source that drives more than one slot, with these slots."""
        found: dict[Source, list[Slot]] = {}
        for slot, sources in self._sources.items():
            for source in sources:
                sharing = self.conflicts(slot, source)
                if sharing and not any(overlap(source, known) for known in found):
                    found[source] = [slot, *sharing]
        return list(found.items())

    # As plain values

    def to_plain(self) -> dict[str, list[str]]:
        """What differs from the defaults, by slot name, in the form of a bindings file."""
        return {
            slot.name: [source_to_text(source) for source in sources]
            for slot, sources in self._sources.items()
            if sources != self._defaults[slot]
        }

    def load_plain(self, plain: Mapping[str, Any]) -> list[str]:
        """Take over the bindings that make sense. Returns a message for each thing that did not."""
        self.reset()
        problems: list[str] = []
        by_name = {slot.name: slot for slot in self._sources}
        for name, texts in plain.items():
            slot = by_name.get(name)
            if slot is None:
                problems.append(f"there is no action {name!r}")
                continue
            if not isinstance(texts, list):
                problems.append(f"{name}: {texts!r} is no list of inputs")
                continue
            sources: list[Source] = []
            given = cast("list[Any]", texts)
            for text in given:
                try:
                    source = source_from_text(str(text))
                    slot.action.check(slot.part, source)
                    sources.append(source)
                except InputError as error:
                    problems.append(f"{name}: {error}")
            if sources or not given:  # a slot whose every input is unknown keeps its default
                self.bind(slot, *sources)
        return problems


def overlap(one: Source, other: Source) -> bool:
    """Whether one movement of the player's hand drives both sources."""
    if isinstance(one, Chord) or isinstance(other, Chord):
        return one == other
    if one == other:
        return True
    return not _axes(one).isdisjoint(_axes(other)) and not (isinstance(one, HalfAxis) and isinstance(other, HalfAxis))


def _axes(source: Source) -> set[Source]:
    if isinstance(source, Stick):
        return set(source.axes)
    return {source.axis if isinstance(source, HalfAxis) else source}
