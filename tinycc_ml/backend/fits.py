"""Does it fit? What can be told of flash and RAM before anything is compiled for the target."""

from __future__ import annotations

from ..errors import TargetError
from .target import Target


def check_fits(target: Target, *, weights_bytes: int, ram_bytes: int = 0, live: str = "") -> None:
    """TargetError when constants exceed the flash or `ram_bytes` the RAM, saying by how much.

    live: what takes the RAM, for the message.
    """
    flash, ram = target.memories["flash"], target.memories["ram"]
    if flash is not None and weights_bytes > flash:
        raise TargetError(
            f"the constants take {weights_bytes:,} bytes, {weights_bytes - flash:,} more than the flash "
            f"of {target.name} ({flash:,})"
        )
    if ram is not None and ram_bytes > ram:
        raise TargetError(
            f"arena, inputs and outputs take {ram_bytes:,} bytes, {ram_bytes - ram:,} more than the RAM "
            f"of {target.name} ({ram:,}); {live}"
        )
