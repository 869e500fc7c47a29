"""Make, end, test and describe the connection to Cliniko."""

import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request

from chassis.errors import BadRequest
from chassis.identity import Administrator, Identified, OwnOrganization
from sync import handlers
from sync.domain.credentials import base_url, shard_of
from sync.entrypoints.http.triggers import NOT_CONNECTED
from sync.entrypoints.shapes.clinic import (
    ClinicInside,
    ClinikoStatus,
    Connected,
    ConnectionTested,
    Credentials,
    Disconnected,
)
from sync.entrypoints.transactions import RequestStore, transactions_of

router = APIRouter(tags=["Cliniko"])


@router.put("/cliniko/connection/{organization_id}")
async def connect(
    organization_id: OwnOrganization,
    caller: Administrator,
    request: Request,
    credentials: Credentials,
) -> Connected:
    """Connect the organization to Cliniko with this key, after Cliniko has accepted it."""
    state, key = request.app.state, credentials.api_key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise BadRequest("api_key: An API key of Cliniko consists of visible ASCII characters.")
    await handlers.check_key(key, state.accounts.probe)
    async with transactions_of(state.database)(organization_id) as store:
        region = await handlers.store_key(key, caller, store, state.vault)
    return Connected(
        message="Cliniko is connected", organization_id=organization_id, api_region=region, timestamp=datetime.now(UTC)
    )


@router.delete("/cliniko/connection/{organization_id}")
async def disconnect(organization_id: OwnOrganization, caller: Administrator, store: RequestStore) -> Disconnected:
    """Forget the organization's key."""
    await handlers.disconnect(caller, store)
    return Disconnected(message="Cliniko is disconnected", organization_id=organization_id, timestamp=datetime.now(UTC))


@router.get("/cliniko/status/{organization_id}")
async def cliniko_status(organization_id: OwnOrganization, store: RequestStore) -> ClinikoStatus:
    """How the clinic is connected, from what is known here."""
    return ClinikoStatus.of(organization_id, await handlers.clinic_standing(store))


@router.get("/cliniko/test-connection/{organization_id}", responses=NOT_CONNECTED)
async def test_connection(organization_id: OwnOrganization, caller: Identified, request: Request) -> ConnectionTested:
    """Ask Cliniko now, with the stored key."""
    state = request.app.state
    transactions = transactions_of(state.database)
    async with transactions(organization_id) as store:
        api_key, key_number = await handlers.stored_key(store, state.vault)
    tried = await handlers.try_key(api_key, state.accounts.probe)
    valid = handlers.verdict(tried)
    if valid is not None:
        async with transactions(organization_id) as store:
            await handlers.judge(key_number, caller.request_id, store, valid=valid)
    url = base_url(state.cliniko_api_url, api_key)
    return ConnectionTested.of(organization_id, shard_of(api_key), url, tried, datetime.now(UTC))


@router.get("/cliniko/debug/{organization_id}")
async def debug_cliniko(organization_id: OwnOrganization, _caller: Administrator, store: RequestStore) -> ClinicInside:
    """What is here of the clinic, in flags, counts and shares."""
    return ClinicInside.of(organization_id, await handlers.look_inside(store), datetime.now(UTC))
