"""The door of the judge: `POST /v1/verify` says whether a file proves what another one asks."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.errors import BadRequest
from bise.serve.events import CLIENT_CLOSED, unless_gone
from bise.serve.faults import HttpFault, answer_to
from bise.serve.json_body import read_object
from bise.serve.judging import Job
from bise.serve.metrics import Metrics
from bise.serve.served import Served
from bise.serve.shapes import Shape, shaped

MAX_SOURCE_BYTES = 1 << 20
TIMEOUT_S, MAX_TIMEOUT_S = 120, 600
STATUS = {"accepted": 200, "rejected": 200, "unusable": 400, "failed": 503}


class VerifyBody(Shape):
    """Sources as text: what is asked, what was made of it, and examples it must agree with."""

    challenge: str
    submission: str
    examples: str | None = None
    timeout_s: int | None = None
    """CPU seconds of each process."""


async def verify(request: Request, served: Served, metrics: Metrics) -> Response:
    """Judge a Lean proof: accepted and rejected are both answers, with status 200.

    Whoever hangs up ends the job, with everything it started.
    """
    assert served.judging is not None, "the door is closed without a judge"
    account = request.state.visit.account
    if account is not None and not account.key.may_verify:
        raise HttpFault(403, "this key has no right to use the judge")
    job = job_of(shaped(VerifyBody, await read_object(request, served.limits)))
    verdict = await unless_gone(request.receive, served.judging.judge(job))
    if verdict is None:
        return Response(status_code=CLIENT_CLOSED)
    status = STATUS[verdict["verdict"]]
    if status == 200:
        return JSONResponse(verdict)
    answer = metrics.refuse(
        answer_to(HttpFault(status, verdict["message"]), request.state.dialect),
        request.state.visit,
    )
    told = {**verdict, **answer.body(request.state.request_id)}
    return JSONResponse(told, status_code=status, headers=answer.headers)


def job_of(body: VerifyBody) -> Job:
    """What a body asks for; refuses what is too large or out of range."""
    for name in ("challenge", "submission", "examples"):
        size = len((getattr(body, name) or "").encode("utf-8", "surrogatepass"))
        if size > MAX_SOURCE_BYTES:
            raise HttpFault(413, f"`{name}` has {size:,} bytes, at most {MAX_SOURCE_BYTES:,}")
    if body.timeout_s is not None and not 1 <= body.timeout_s <= MAX_TIMEOUT_S:
        raise BadRequest(f"`timeout_s` is {body.timeout_s}, expected 1 to {MAX_TIMEOUT_S}")
    return Job(
        challenge=body.challenge,
        submission=body.submission,
        examples=body.examples,
        timeout_s=body.timeout_s or TIMEOUT_S,
    )
