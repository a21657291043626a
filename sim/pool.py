"""The roads that a batch of cars is on: loaded once, stored flat, found by number."""

from typing import Any, NamedTuple, TypeVar

import numpy as np

from .lanes import LaneTable, make_table
from .road import Road
from .roads.source import RoadSource
from .scene import Scene, build_scene
from .signs import SignTable, make_signs
from .trace import TraceSource, is_recording

Table = TypeVar("Table", bound=NamedTuple)


Source = RoadSource | TraceSource


def open_source(text: str) -> Source:
    """The roads of a world string: made or read, or the paths of a recording's drives."""
    return TraceSource(text) if is_recording(text) else RoadSource(text)


_LINE = 64  # bytes that a processor reads together


def _on_lines(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """An empty array that begins with a line of the cache: each `NODE` is then one line."""
    size = int(np.prod(shape)) * dtype.itemsize
    room = np.empty(size + _LINE, np.uint8)
    first = -room.ctypes.data % _LINE
    return room[first : first + size].view(dtype).reshape(shape)


def _copy_on_lines(column: np.ndarray) -> np.ndarray:
    copy = _on_lines(column.shape, column.dtype)
    copy[...] = column
    return copy


class _Growing:
    """Arrays that grow at the end; room doubles, so n additions cost n."""

    _kind: Any
    view: Any

    def __init__(self, first: NamedTuple) -> None:
        self._kind = type(first)
        self._room = [_copy_on_lines(column) for column in first]
        self._used = [len(column) for column in first]
        self.view = self._kind(*self._room)

    def add(self, columns: NamedTuple) -> None:
        for k, column in enumerate(columns):
            need = self._used[k] + len(column)
            if need > len(self._room[k]):
                shape = (max(need, 2 * len(self._room[k])), *column.shape[1:])
                room = _on_lines(shape, column.dtype)
                room[: self._used[k]] = self._room[k][: self._used[k]]
                self._room[k] = room
            self._room[k][self._used[k] : need] = column
            self._used[k] = need
        self.view = self._kind(*(room[:n] for room, n in zip(self._room, self._used, strict=True)))


class RoadPool:
    """Roads of one source, each loaded when a car first needs it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.slots = np.full(source.count, -1, np.int64)
        self._lanes: _Growing | None = None
        self._scene: _Growing | None = None
        self._signs: _Growing | None = None

    @property
    def lanes(self) -> LaneTable:
        """Lanes of every loaded road."""
        assert self._lanes is not None
        lanes: LaneTable = self._lanes.view
        return lanes

    @property
    def scene(self) -> Scene:
        """Everything to draw of every loaded road."""
        assert self._scene is not None
        scene: Scene = self._scene.view
        return scene

    @property
    def signs(self) -> SignTable | None:
        """The signs of every loaded road; None where there are none."""
        if self._signs is None or not len(self._signs.view.signs):
            return None
        table: SignTable = self._signs.view
        return table

    def load(self, numbers: np.ndarray) -> np.ndarray:
        """The slots of roads, by their numbers in the source; loads those that are missing."""
        slots = self.slots[numbers]
        if slots.size and slots.min() < 0:
            for number in np.unique(numbers[slots < 0]):
                self.slots[number] = self._append(self.source.road(int(number)))
            slots = self.slots[numbers]
        return slots

    def _append(self, road: Road) -> int:
        table, scene = make_table(road), build_scene(road)
        signs = make_signs(road)
        if self._lanes is None or self._scene is None or self._signs is None:
            self._lanes, self._scene = _Growing(table), _Growing(scene)
            self._signs = _Growing(signs)
            return 0
        self._signs.add(SignTable(signs.signs, signs.first[1:] + len(self._signs.view.signs)))
        old = self.lanes
        entries = table.lanes.copy()
        entries["first"] += len(old.nodes)
        entries["successor"][entries["successor"] >= 0] += len(old.lanes)
        moved = LaneTable(table.nodes, entries, table.road_first[1:] + len(old.lanes))
        slot = len(old.road_first) - 1
        self._lanes.add(moved)
        drawn = self.scene
        pieces, blocks = scene.pieces.copy(), scene.blocks.copy()
        pieces["first"] += len(drawn.points)
        blocks["first"] += len(drawn.pieces)
        self._scene.add(
            Scene(
                scene.points,
                pieces,
                scene.circles,
                blocks,
                scene.areas,
                scene.first_block[1:] + np.int32(len(drawn.blocks)),
                scene.kerbs,
            )
        )
        return slot
