"""What the set-up of an account can be refused with."""

from typing import Final

REFUSED: Final = "set-up-refused"


class SetUpError(ValueError):
    """A set-up that contradicts itself or the policy; `field` is where, `code` its stable name."""

    def __init__(self, field: str, message: str, code: str = REFUSED) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
