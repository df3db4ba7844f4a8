"""The read models, and all their routing: each sees every change of a number as it commits."""

from typing import Final

from consent_ledger.store.projection import Projection
from projections.consent_status import ConsentStatus
from projections.deferred_messages import DeferredMessages
from projections.opt_out_report import OptOutReport
from projections.purpose_blocks import PurposeBlocks

PROJECTIONS: Final[tuple[Projection, ...]] = (
    ConsentStatus(),
    OptOutReport(),
    PurposeBlocks(),
    DeferredMessages(),
)
