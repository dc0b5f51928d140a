"""Joining a browser to a call: offer, candidates, ICE servers."""

from __future__ import annotations

from fastapi import APIRouter

from modembank.api.deps import CREATE_CALLS, BankDep, CallId, SettingsDep
from modembank.api.schemas.calls import CandidateRequest, Offer, SessionAnswer
from modembank.api.schemas.system import IceServer, IceServers

router = APIRouter(tags=["webrtc"])


@router.post(
    "/calls/{call_id}/webrtc", operation_id="attach", dependencies=CREATE_CALLS, summary="Join or re-join a browser"
)
async def attach(call_id: CallId, body: Offer, bank: BankDep) -> SessionAnswer:
    """Answer an offer for a live call. Doing it again with a new peer connection replaces the old one."""
    return SessionAnswer(sdp=await bank.attach(call_id, body.sdp))


@router.patch(
    "/calls/{call_id}/webrtc",
    status_code=204,
    operation_id="add_candidate",
    dependencies=CREATE_CALLS,
    summary="Add an ICE candidate",
)
async def add_candidate(call_id: CallId, body: CandidateRequest, bank: BankDep) -> None:
    """Hand over one trickled candidate. Source: RFC 8838."""
    await bank.add_candidate(call_id, body.candidate, body.sdp_mid, body.sdp_m_line_index)


@router.get("/ice-servers", operation_id="get_ice_servers", summary="STUN and TURN servers")
async def ice_servers(settings: SettingsDep) -> IceServers:
    """Return the servers a peer connection should use: those of the settings, never a third party's default."""
    return IceServers(
        ice_servers=[
            IceServer(urls=list(server.urls), username=server.username, credential=server.credential)
            for server in settings.media.ice_servers
        ]
    )
