"""The door that lets a running reply stop thinking and answer: `.../{id}/stop_thinking`."""

import asyncio

from starlette.responses import Response

from bise.errors import BadRequest, NotFound
from bise.serve.faults import HttpFault
from bise.serve.served import Served


async def stop_thinking(name: str, owner: str, served: Served) -> Response:
    """Let the replies of an answer close their thinking with their next token.

    owner: whose answers the name is looked up among
    """
    engine = served.talker.engine
    refusals: list[Exception] = [NotFound(f"no answer `{name[:100]}` is being written")]
    num_stopped = 0
    for reply in served.reply_names.of(owner, name):
        try:
            await asyncio.to_thread(engine.stop_thinking, reply)
            num_stopped += 1
        except NotFound:
            continue
        except BadRequest:
            refusals.append(HttpFault(409, f"the answer `{name[:100]}` is not thinking"))
    if not num_stopped:
        raise refusals[-1]
    return Response(status_code=202)
