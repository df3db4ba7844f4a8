"""Who may call a route, by the role of the key."""

from typing import Annotated

from fastapi import Depends

from api.auth import Caller, allow
from consent_ledger.words import Role

Anyone = Annotated[Caller, Depends(allow(*Role))]
Sender = Annotated[Caller, Depends(allow(Role.SENDER))]
Admin = Annotated[Caller, Depends(allow(Role.ADMIN))]
Staff = Annotated[Caller, Depends(allow(Role.AGENT, Role.ADMIN))]
People = Annotated[Caller, Depends(allow(Role.AGENT, Role.ADMIN, Role.AUDITOR))]
Onlooker = Annotated[Caller, Depends(allow(Role.ADMIN, Role.AUDITOR))]
SenderOrAdmin = Annotated[Caller, Depends(allow(Role.SENDER, Role.ADMIN))]
SenderOrAgent = Annotated[Caller, Depends(allow(Role.SENDER, Role.AGENT))]
Teller = Annotated[Caller, Depends(allow(Role.SENDER, Role.AGENT, Role.ADMIN))]
