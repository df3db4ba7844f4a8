"""What one would write by hand instead: a table of opted-out numbers behind FastAPI.

Written as the two libraries' own documentation has it: an async pool opened by the lifespan, models
of pydantic, the key checked by a dependency. Each request has its own statement and commit.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final

import psycopg
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field

SCHEMA: Final = "consent_ledger_bench"
"""Where the peers keep their tables; the run removes it."""
POOL: Final = 10
"""Connections: more only wait for the two cores."""

TABLE: Final = f"""
CREATE TABLE {SCHEMA}.phone_opt_outs (
    phone text PRIMARY KEY,
    opted_out_at timestamptz NOT NULL DEFAULT now(),
    message_id text
)"""
OUTBOX: Final = f"""
CREATE TABLE {SCHEMA}.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone text NOT NULL,
    claimed_by text
)"""
OUTBOX_INDEX: Final = f"CREATE INDEX ON {SCHEMA}.outbox (id) WHERE claimed_by IS NULL"
FILL_OUTBOX: Final = f"""
INSERT INTO {SCHEMA}.outbox (phone)
SELECT '+1' || (4150000000 + i) FROM generate_series(1, %s) AS i"""
CLAIM: Final = f"""
UPDATE {SCHEMA}.outbox SET claimed_by = %s WHERE id IN (
    SELECT id FROM {SCHEMA}.outbox WHERE claimed_by IS NULL
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id, phone"""
CHECK: Final = f"SELECT 1 FROM {SCHEMA}.phone_opt_outs WHERE phone = %s"
INSERT: Final = f"""
INSERT INTO {SCHEMA}.phone_opt_outs (phone, message_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"""
FILL: Final = f"""
INSERT INTO {SCHEMA}.phone_opt_outs (phone)
SELECT '+1' || (%s::bigint + i) FROM generate_series(0, %s - 1) AS i"""

PGBENCH_INSERT: Final = f"""
INSERT INTO {SCHEMA}.phone_opt_outs (phone, message_id)
VALUES ('+1' || (4000000000 + random() * 5999999999)::bigint, gen_random_uuid()::text)
ON CONFLICT DO NOTHING;
"""
"""The same row, for pgbench: what the database can do where nothing stands in front of it."""


class Check(BaseModel):
    """A question about one number."""

    number: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$")
    purpose: str


class Checked(BaseModel):
    """Its answer."""

    may_text: bool


class Inbound(BaseModel):
    """A text that came in."""

    sender: str = Field(alias="from", pattern=r"^\+[1-9][0-9]{6,14}$")
    to: str
    body: str
    message_id: str


class Claim(BaseModel):
    """Who sends the next texts, and how many."""

    claimed_by: str
    limit: int = Field(ge=1, le=1_000)


def create(database_url: str, key: str) -> FastAPI:
    """The table behind FastAPI, and a plain SELECT without a key beside it."""
    pool = AsyncConnectionPool(
        database_url, min_size=POOL, max_size=POOL, open=False, kwargs={"autocommit": True}
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    known = sha256(key.encode()).digest()
    bearer = HTTPBearer()

    async def authorised(
        given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
    ) -> None:
        if not compare_digest(sha256(given.credentials.encode()).digest(), known):
            raise HTTPException(401)

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/select")
    async def select(question: Check) -> Checked:
        async with pool.connection() as conn:
            row = await (await conn.execute(CHECK, (question.number,))).fetchone()
        return Checked(may_text=row is None)

    @app.post("/checks", dependencies=[Depends(authorised)])
    async def check(question: Check) -> Checked:
        async with pool.connection() as conn:
            row = await (await conn.execute(CHECK, (question.number,))).fetchone()
        return Checked(may_text=row is None)

    @app.post("/inbound-messages", dependencies=[Depends(authorised)])
    async def inbound(text: Inbound) -> dict[str, bool]:
        stop = text.body.strip().upper() == "STOP"
        if stop:
            async with pool.connection() as conn:
                await conn.execute(INSERT, (text.sender, text.message_id))
        return {"opted_out": stop}

    @app.post("/release-next", dependencies=[Depends(authorised)])
    async def release_next(claim: Claim) -> list[dict[str, str]]:
        async with pool.connection() as conn:
            rows = await (await conn.execute(CLAIM, (claim.claimed_by, claim.limit))).fetchall()
        return [{"message_id": str(row[0]), "number": row[1]} for row in rows]

    return app


def fill_outbox(conn: psycopg.Connection[tuple[object, ...]], count: int) -> None:
    """Texts that may go."""
    conn.execute(FILL_OUTBOX.encode(), (count,))
    conn.execute(f"ANALYZE {SCHEMA}.outbox".encode())


def prepare(conn: psycopg.Connection[tuple[object, ...]], first: int, count: int) -> None:
    """The peers' own schema, its table filled with the numbers that the loads ask about."""
    forget(conn)
    conn.execute(f"CREATE SCHEMA {SCHEMA}".encode())
    for statement in (TABLE, OUTBOX, OUTBOX_INDEX):
        conn.execute(statement.encode())
    conn.execute(FILL.encode(), (first, count))
    conn.execute(f"ANALYZE {SCHEMA}.phone_opt_outs".encode())


def forget(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Leaves nothing of the peers."""
    conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(
        create(os.environ["CONSENT_LEDGER_DATABASE_URL"], os.environ["BENCH_KEY"]),
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
