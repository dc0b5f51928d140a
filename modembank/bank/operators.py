"""Through which operators a SIM may call, and whether it may while roaming. Pure.

The SIM's own word wins over its tag's rule, and that over the bank's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modembank.config import OperatorRule, SimSettings

ROAMING = frozenset({"roaming", "roaming_sms_only", "roaming_csfb_not_preferred"})


@dataclass(frozen=True, slots=True)
class OperatorPolicy:
    """`allowed` empty: any. An operator that is both allowed and forbidden is forbidden."""

    roaming: bool
    allowed: frozenset[str]
    forbidden: frozenset[str]

    def permits_operator(self, plmn: str | None) -> bool:
        """Whether calls may go through this network; one that is not known is not among the allowed."""
        return plmn not in self.forbidden and (not self.allowed or plmn in self.allowed)

    def permits_registration(self, registration: str) -> bool:
        """Whether calls may be placed in this registration, in the words of 3GPP TS 27.007 section 7.2."""
        return self.roaming or registration not in ROAMING


def policy_of(
    settings: SimSettings,
    tags: Sequence[str],
    roaming: bool | None,
    allowed: Sequence[str],
    forbidden: Sequence[str],
) -> OperatorPolicy:
    """Return what holds for a SIM with these tags and words of its own; forbidden operators add up."""
    rule = next((rule for rule in settings.rules if rule.tag in tags), OperatorRule(tag=""))
    choices = (roaming, rule.roaming, settings.roaming)
    return OperatorPolicy(
        roaming=next(choice for choice in choices if choice is not None),
        allowed=frozenset(allowed or rule.allowed_operators or settings.allowed_operators),
        forbidden=frozenset((*forbidden, *rule.forbidden_operators, *settings.forbidden_operators)),
    )
