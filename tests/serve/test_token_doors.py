"""`/tokenize`, `/detokenize` and `/render`: ids and texts, without an engine."""

import base64

HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def test_a_text_becomes_ids_and_text_again(thinking_server, tekken):
    text = "größer [INST] ☃"
    body = thinking_server.post("/tokenize", prompt=text).json()
    assert body["tokens"] == [tekken.special.bos, *tekken.encode(text)]
    assert body["count"] == len(body["tokens"]) and body["max_model_len"] == 512
    assert body["token_strs"] is None
    bare = thinking_server.post("/tokenize", prompt=text, add_special_tokens=False).json()
    assert bare["tokens"] == tekken.encode(text)
    back = thinking_server.post("/detokenize", tokens=bare["tokens"]).json()
    assert back == {"prompt": text}
    shown = thinking_server.post("/tokenize", prompt="46", return_token_strs=True).json()
    assert shown["token_strs"][0] == "<s>" and "".join(shown["token_strs"]) == "<s>46"


def test_a_conversation_becomes_what_the_model_reads(thinking_server):
    fields = {"messages": HELLO, "tools": [TOOL], "reasoning_effort": "high"}
    body = thinking_server.post("/tokenize", **fields, return_token_strs=True).json()
    usage = thinking_server.post("/v1/chat/completions", **fields, max_tokens=0).json()["usage"]
    assert body["count"] == usage["prompt_tokens"]
    shown = thinking_server.post("/render", **fields)
    assert shown.json()["tokens"] == body["tokens"]
    assert shown.json()["token_strs"] == body["token_strs"]
    assert shown.json()["text"].startswith("<s>[AVAILABLE_TOOLS][{") and (
        shown.json()["text"].endswith("[INST]hi[/INST]")
    )
    assert shown.headers["x-reasoning-effort"] == "high"


def test_what_is_left_out_of_account_is_named(thinking_server):
    chat = {"messages": HELLO, "add_special_tokens": False}
    strict = {"x-strict": "true"}
    reply = thinking_server.client.post("/tokenize", json=chat, headers=strict)
    assert reply.status_code == 200, "a field of this door"
    assert reply.headers["x-ignored-params"] == "add_special_tokens"
    assert reply.headers["x-reasoning-effort"] == "none"
    assert thinking_server.post("/tokenize", messages=HELLO, return_token_strs=3).status_code == 422
    for path, body in (("/tokenize", {"prompt": "x"}), ("/detokenize", {"tokens": [300]})):
        assert "x-ignored-params" not in thinking_server.post(path, **body).headers
        assert thinking_server.post(path, **body, foo=1).headers["x-ignored-params"] == "foo"


def test_pictures_are_shown_as_their_places(thinking_server, red_square):
    data = base64.b64encode(red_square.read_bytes()).decode()
    picture = {"type": "image_url", "image_url": f"data:image/png;base64,{data}"}
    messages = [{"role": "user", "content": [picture]}]
    body = thinking_server.post("/render", messages=messages).json()
    assert body["text"].endswith("[INST][IMG][IMG][IMG_END][/INST]")
    assert data not in str(body)


def test_what_is_refused(thinking_server):
    for path, body, status in (
        ("/tokenize", {}, 422),
        ("/tokenize", {"prompt": 3}, 422),
        ("/tokenize", {"prompt": "x", "model": "gpt-9"}, 404),
        ("/tokenize", {"prompt": "x" * 5000}, 400),
        ("/tokenize", {"messages": []}, 400),
        ("/detokenize", {"tokens": "x"}, 422),
        ("/detokenize", {"tokens": [99999]}, 400),
        ("/detokenize", {"tokens": [300] * 513}, 400),
        ("/render", {"messages": [{"role": "robot"}]}, 422),
    ):
        reply = thinking_server.client.post(path, json=body)
        assert reply.status_code == status, (path, body)
        assert reply.json()["object"] == "error"
