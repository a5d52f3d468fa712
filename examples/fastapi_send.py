"""A web service that sends: POST /send with {"to": "bo", "text": "hello"} answers with the message's id.

uvicorn --app-dir examples fastapi_send:app     Start `make run` first; needs fastapi and uvicorn.
SIGNALPOST_URL, SIGNALPOST_APP and SIGNALPOST_TOKEN say where, and with what.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from signalpost.client import ArgumentError, Client, SignalpostError, connect

URL = os.environ.get("SIGNALPOST_URL", "ws://127.0.0.1:8080/")
APP = os.environ.get("SIGNALPOST_APP", "demo")
TOKEN = os.environ.get("SIGNALPOST_TOKEN", "any")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One connection for all requests: logged in when the service starts, logged out when it stops."""
    async with connect(URL, app_id=APP, account="web-service", token=TOKEN) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


class Outgoing(BaseModel):
    to: str
    text: str


@app.post("/send")
async def send(outgoing: Outgoing, request: Request) -> dict[str, str]:
    client: Client = request.app.state.client
    try:
        return {"id": await client.send(outgoing.to, outgoing.text)}
    except ArgumentError as error:
        raise HTTPException(422, error.reason) from error
    except SignalpostError as error:
        raise HTTPException(503, f"{error}") from error
