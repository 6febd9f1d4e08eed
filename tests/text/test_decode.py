"""Telling thinking, answers and calls apart, whatever the model does."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.text import (
    ChatFormat,
    Delta,
    Message,
    Reply,
    ReplyDecoder,
    Tekken,
    ThinkPart,
    ToolCall,
    decode_reply,
    random_call_id,
    save_tekken,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Tekken:
    """Single bytes only, so that every character beyond ASCII is several tokens."""
    save_tekken(path := tmp_path_factory.mktemp("small") / "tekken.json", [])
    return Tekken.from_file(path)


def numbered_ids() -> Callable[[], str]:
    numbers = count()
    return lambda: f"call{next(numbers)}"


def ids_of(tekken: Tekken, written: str) -> list[int]:
    """Ids of a reply in which `<name>` stands for a control token."""
    ids: list[int] = []
    for piece in written.replace(">", "<").split("<"):
        marker = getattr(tekken.special, piece, None) if piece.isidentifier() else None
        ids += tekken.encode(piece) if marker is None else [marker]
    return ids


def reply(tekken: Tekken, written: str, **options: bool) -> Reply:
    return decode_reply(tekken, ids_of(tekken, written), new_call_id=numbered_ids(), **options)


def test_a_proper_reply_is_taken_apart(small: Tekken):
    found = reply(small, '<think>Hm.<end_think>Yes. <calls>f<args>{"a": 1}<calls>g<args>{}<eos>')
    assert (found.thinking, found.text) == ("Hm.", "Yes. ")
    assert found.tool_calls == (ToolCall("call0", "f", '{"a": 1}'), ToolCall("call1", "g", "{}"))
    assert found.is_ended and found.is_well_formed


@pytest.mark.parametrize(
    ("written", "is_cut"),
    [
        ("<think>Hm.", True),
        ("<think>Hm.<eos>", True),
        ("<think>Hm.<end_think>", False),
        ("<think>Hm.<calls>f<args>{}<eos>", False),
        ("Yes.", False),
    ],
)
def test_a_reply_knows_whether_it_was_cut_in_thinking(small: Tekken, written: str, is_cut: bool):
    decoder = ReplyDecoder(small)
    decoder.feed(ids_of(small, written))
    decoder.finish()
    assert decoder.is_cut_in_thinking is is_cut


@pytest.mark.parametrize(
    ("written", "thinking", "text", "calls", "fault"),
    [
        ("Yes.", "", "Yes.", [], ""),
        ("<think>a<end_think>", "a", "", [], ""),
        ("<think>a<think>b<end_think>c<eos>", "ab", "c", [], "stray [THINK]"),
        ("a<end_think>b<eos>", "", "ab", [], "stray [/THINK]"),
        ("a<think>b<end_think>c<eos>", "b", "ac", [], "stray [THINK]"),
        ("<think>a<end_think><think>b<end_think>c", "ab", "c", [], "stray [THINK]"),
        ("<think><end_think>c<eos>", "", "c", [], "thinking is empty"),
        ("<think>abc", "abc", "", [], "thinking is not closed"),
        ("<think>a<eos>", "a", "", [], "thinking is not closed"),
        ("<think>a<calls>f<args>{}<eos>", "a", "", ["f{}"], "thinking is not closed"),
        ("<calls>f{}<eos>", "", "", ["f{}"], "missing [ARGS]"),
        ("<calls>f{<args>}<eos>", "", "", ["f{}"], "stray [ARGS]"),
        ("<calls>f<args>{<args>}<eos>", "", "", ["f{}"], "stray [ARGS]"),
        ("<calls>f<think><args>{<end_think>}<eos>", "", "", ["f{}"], "stray [THINK]"),
        ("<calls>f<eos>", "", "", ["f{}"], "a call has no name or no JSON"),
        ("<calls>f<args>{bad<eos>", "", "", ["f{bad"], "a call has no name or no JSON"),
        ("<calls><args>{}<eos>", "", "", ["{}"], "a call has no name or no JSON"),
        ("<calls><eos>", "", "", [], "a call has no name or no JSON"),
        ("<calls>f<args>{}<calls>g<args>{", "", "", ["f{}"], "a call is cut off"),
        ("<calls>f<args>{}", "", "", ["f{}"], ""),
        ("<calls>f", "", "", [], "a call is cut off"),
        ("a<inst>b<image>c<args>d<eos>", "", "abcd", [], "stray [INST]"),
        ("a<eos>b", "", "a", [], "tokens after the end"),
        ("a<eos><eos>", "", "a", [], "tokens after the end"),
        ("[THINK]a[/THINK]</s>", "", "[THINK]a[/THINK]</s>".replace("</s>", "/s"), [], ""),
    ],
)
def test_what_models_do_wrong_is_forgiven_and_noted(
    small: Tekken, written: str, thinking: str, text: str, calls: list[str], fault: str
):
    found = reply(small, written)
    assert (found.thinking, found.text) == (thinking, text)
    assert [call.name + call.arguments for call in found.tool_calls] == calls
    assert found.is_well_formed == (not fault)
    assert not fault or fault in found.faults


def test_a_reply_can_go_on_inside_thinking(small: Tekken):
    found = reply(small, "a<end_think>b<eos>", in_thinking=True)
    assert (found.thinking, found.text) == ("a", "b")
    assert found.is_well_formed
    assert not reply(small, "<think>a<end_think>b", in_thinking=True).is_well_formed


def test_half_a_character_waits_for_the_rest(small: Tekken):
    decoder = ReplyDecoder(small)
    euro = small.encode("€")
    assert [decoder.feed([token]) for token in euro] == [[], [], [Delta("answer", "€")]]
    assert decoder.feed(euro[:2]) == []
    assert decoder.finish() == [Delta("answer", "\ufffd")]
    assert decoder.finish() == []


def test_a_marker_cuts_half_a_character(small: Tekken):
    special, half = small.special, small.encode("€")[:2]
    found = decode_reply(small, [special.think, *half, special.end_think, *small.encode("a")])
    assert (found.thinking, found.text) == ("\ufffd", "a")


def test_pieces_of_a_call_carry_its_id_and_place(small: Tekken):
    decoder = ReplyDecoder(small, new_call_id=numbered_ids())
    deltas = decoder.feed(ids_of(small, "<calls>f<args>{}<calls>g<args>[1]<eos>"))
    pieces = [delta.tool_call for delta in deltas if delta.tool_call]
    assert [(piece.index, piece.id, piece.name) for piece in pieces if piece.name] == [
        (0, "call0", "f"),
        (1, "call1", "g"),
    ]
    for index, call in enumerate(piece.call for piece in pieces if piece.call):
        own = [piece for piece in pieces if piece.index == index]
        assert "".join(piece.arguments for piece in own) == call.arguments
        assert {piece.id for piece in own} == {call.id}


def joined(deltas: list[Delta]) -> list[tuple[object, ...]]:
    """Deltas with neighbouring pieces of the same thing put together."""
    whole: list[tuple[object, ...]] = []
    for delta in deltas:
        call = delta.tool_call
        key = (delta.kind, call and (call.index, call.id))
        text = delta.text + (f"{call.name}|{call.arguments}|{call.call}" if call else "")
        if whole and whole[-1][0] == key and not call:
            whole[-1] = (key, f"{whole[-1][1]}{text}")
        elif call and not call.name and not call.call and whole and whole[-1][0] == (key, "piece"):
            whole[-1] = ((key, "piece"), f"{whole[-1][1]}{call.arguments}")
        elif call and not call.name and not call.call:
            whole.append(((key, "piece"), call.arguments))
        else:
            whole.append((key, text))
    return whole


SCRAPS = ["think", "end_think", "calls", "args", "eos", "inst", *"a{}€😀", '{"b": 1}', "\xff"]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), scraps=st.lists(st.sampled_from(SCRAPS), max_size=25))
def test_any_split_of_the_ids_gives_the_same_reply(
    small: Tekken, data: st.DataObject, scraps: list[str]
):
    ids: list[int] = []
    for scrap in scraps:
        marker = getattr(small.special, scrap, None)
        ids += small.encode(scrap) if marker is None else [marker]
    ids = data.draw(st.permutations(ids)) if data.draw(st.booleans()) else ids
    whole = ReplyDecoder(small, new_call_id=numbered_ids())
    expected = [*whole.feed(ids), *whole.finish()]
    parts = ReplyDecoder(small, new_call_id=numbered_ids())
    found: list[Delta] = []
    while ids:
        size = data.draw(st.integers(1, len(ids)))
        found += parts.feed(ids[:size])
        ids = ids[size:]
    found += parts.finish()
    assert joined(found) == joined(expected)
    assert (parts.faults, parts.is_ended) == (whole.faults, whole.is_ended)
    for delta in found:
        assert delta.text or delta.tool_call


@settings(max_examples=100, deadline=None)
@given(
    thinking=st.text(st.characters(codec="utf-8"), min_size=1),
    text=st.text(st.characters(codec="utf-8")).filter(lambda text: not text.endswith(" ")),
)
def test_what_is_encoded_is_decoded(chat: ChatFormat, thinking: str, text: str):
    call = ToolCall("call0", "f", '{"a": "é"}')
    message = Message.of("assistant", ThinkPart(thinking), text, tool_calls=(call,))
    prompt = chat.encode([Message.of("user", "Hi"), message], finished=True)
    ours = [token for token, is_ours in zip(prompt.ids, prompt.written, strict=True) if is_ours]
    found = decode_reply(chat.tekken, ours, new_call_id=numbered_ids())
    assert found == Reply(text, thinking, (call,), (), is_ended=True)


def test_call_ids_are_nine_letters_and_digits():
    names = {random_call_id() for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) == 9 and name.isascii() and name.isalnum() for name in names)
