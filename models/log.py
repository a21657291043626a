"""What happened while fitting, line by line: `log.jsonl`, and TensorBoard's files if asked for."""

import json
from pathlib import Path
from typing import Any, Self


class RunLog:
    """Appends to `log.jsonl`. A line is written whole, and then safe from the end of our process."""

    def __init__(self, run: Path, step: int, tensorboard: bool) -> None:
        """Begin the log of a run folder, or continue it after `step`: later lines will come again."""
        self._board = _tensorboard(run, step) if tensorboard else None
        self._file = (run / "log.jsonl").open("ab")
        self._file.truncate(_length_until(run / "log.jsonl", step))

    def write(self, step: int, **values: Any) -> None:
        """One line; numbers go to TensorBoard, too."""
        self._file.write((json.dumps({"step": step, **values}) + "\n").encode())
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(name, value, step)

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _length_until(path: Path, step: int) -> int:
    """Bytes of the whole lines that tell of steps up to `step`; the last may have been cut off."""
    length = 0
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n") or json.loads(line)["step"] > step:
            break
        length += len(line)
    return length


def _tensorboard(run: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ModuleNotFoundError(
            "TensorBoard is not installed; `pip install 'redrive[tensorboard]'`, "
            "or fit without it: log.jsonl holds the same numbers"
        ) from error
    return SummaryWriter(run / "tensorboard", purge_step=step or None)
