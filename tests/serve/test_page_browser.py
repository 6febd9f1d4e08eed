"""The page in a real browser, talking to a real server: everything a person does there.

Wants playwright and Debian's Chromium, and is not run where they are missing.
"""

import base64
import json
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bise.serve import KeyRing, add_key

pytestmark = pytest.mark.full
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no `chromium` on the path")
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def brooder(start, say, scripted, folder_of, tekken, network):
    """Thinks for ever, unless it is told to stop; then it says `6`."""
    special, (one, six) = tekken.special, tekken.encode("16")
    script = say(special.think, "12345", then=one) | {special.end_think: six, six: special.eos}
    config = replace(network.config, max_positions=1 << 18)
    with start(folder_of(scripted(script, config), "brooder")) as server:
        yield server


@contextmanager
def opened(browser, server, **options):
    """The page of a server in a browser that is new; fails if the page has errors of its own."""
    context = browser.new_context(**options)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(f"http://127.0.0.1:{server.port}/")
    try:
        yield page
    finally:
        context.close()
    refused = "Failed to load resource: the server responded with a status of 4"
    assert [fault for fault in faults if not fault.startswith(refused)] == []


def ask(page, words):
    field = page.get_by_label("Your message")
    field.fill(words)
    field.press("Enter")


def answers(page):
    return page.get_by_role("article", name="The model")


def questions(page):
    return page.get_by_role("article", name="You")


def test_a_question_is_answered_and_all_is_there_after_a_reload(browser, thinking_server):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        field = page.get_by_label("Your message")
        field.fill("what is it?")
        expect(page.get_by_role("button", name=re.compile("of 512 tokens"))).to_be_visible()
        field.press("Enter")
        expect(answers(page)).to_contain_text("46, yes")
        expect(page.get_by_text(re.compile("Thought for"))).to_be_visible()
        expect(page.get_by_text("so 12")).to_be_hidden()
        page.get_by_text(re.compile("Thought for")).click()
        expect(page.get_by_text("so 12")).to_be_visible()
        took = page.get_by_text(re.compile(r"\d+ tokens, .* · first after .* · context \d+ of 512"))
        expect(took).to_be_visible()
        page.reload()
        expect(questions(page)).to_contain_text("what is it?")
        expect(answers(page)).to_contain_text("46, yes")
        expect(page.get_by_role("navigation")).to_contain_text("what is it?")


def test_a_browser_without_room_says_so_and_the_answer_comes(browser, thinking_server):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        full = "() => { throw new DOMException('', 'QuotaExceededError') }"
        page.evaluate(f"void (IDBObjectStore.prototype.put = {full})")
        ask(page, "What is 4+42?")
        expect(answers(page)).to_contain_text("46, yes")
        expect(page.get_by_text("This browser keeps nothing")).to_be_visible()


def test_a_key_that_ends_a_word_of_an_input_method_sends_nothing(browser, thinking_server):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        page.get_by_label("Your message").fill("にほん")
        page.get_by_label("Your message").evaluate(
            "field => field.dispatchEvent(new KeyboardEvent('keydown',"
            " {key: 'Enter', keyCode: 229, bubbles: true}))"
        )
        expect(page.get_by_label("Your message")).to_have_value("にほん")
        expect(questions(page)).to_have_count(0)


def test_thinking_is_stopped_and_the_answer_comes(browser, brooder):
    with opened(browser, brooder) as page:
        page.get_by_role("radio", name="Think").check(force=True)
        ask(page, "hm?")
        expect(page.get_by_text(re.compile(r"Thinking for [1-9]\.\d s"))).to_be_visible()
        page.get_by_role("button", name="Stop thinking").click()
        expect(answers(page).locator(".prose")).to_have_text("6")
        expect(page.get_by_text(re.compile("Thought for"))).to_be_visible()
        expect(page.get_by_role("button", name="Stop thinking")).to_have_count(0)


def test_an_answer_is_stopped_and_its_place_is_free(browser, endless_server):
    with opened(browser, endless_server) as page:
        ask(page, "count")
        expect(answers(page).locator(".prose")).to_contain_text("12345123451")
        endless_server.wait_until(lambda stats: stats.num_running == 1)
        page.keyboard.press("Escape")
        expect(page.get_by_text("Stopped here.")).to_be_visible()
        endless_server.wait_until(lambda stats: stats.num_running == 0)


def test_an_answer_goes_on_while_another_conversation_is_looked_at(browser, endless_server):
    with opened(browser, endless_server) as page:
        ask(page, "count for long")
        expect(answers(page).locator(".prose")).to_contain_text("12345")
        page.get_by_role("button", name="New conversation").click()
        expect(answers(page)).to_have_count(0)
        page.get_by_role("navigation").get_by_role("button", name="count for long").first.click()
        text = answers(page).locator(".prose")
        before = len(text.inner_text())
        page.wait_for_function(
            "n => document.querySelector('.answer .prose').innerText.length > n", arg=before
        )
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Stopped here.")).to_be_visible()


def test_questions_are_edited_answers_repeated_and_branches_kept(browser, thinking_server):
    with opened(browser, thinking_server) as page:
        ask(page, "first words")
        expect(answers(page)).to_contain_text("46, yes")
        questions(page).get_by_role("button", name="Edit").click()
        page.get_by_label("Edit your message").fill("second words")
        page.get_by_role("button", name="Ask this").click()
        expect(questions(page)).to_contain_text("second words")
        expect(questions(page)).to_contain_text("2 / 2")
        expect(answers(page)).to_contain_text("46, yes")
        page.get_by_role("button", name="Answer again").click()
        expect(answers(page)).to_contain_text("2 / 2")
        questions(page).get_by_role("button", name="Branch before").click()
        expect(questions(page)).to_contain_text("first words")
        expect(answers(page)).not_to_contain_text("2 / 2")
        page.reload()
        expect(questions(page)).to_contain_text("first words")
        questions(page).get_by_role("button", name="Branch after").click()
        expect(questions(page)).to_contain_text("second words")
        expect(answers(page)).to_contain_text("2 / 2")


DROP = """([data, type, name]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
  const transfer = new DataTransfer()
  transfer.items.add(new File([bytes], name, { type }))
  window.dispatchEvent(new DragEvent('dragover', { dataTransfer: transfer, bubbles: true }))
  window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
}"""


def drop(page, data: bytes, kind: str, name: str):
    page.evaluate(DROP, [base64.b64encode(data).decode(), kind, name])


def test_pictures_are_dropped_counted_and_sent(browser, thinking_server, red_square):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        drop(page, red_square.read_bytes(), "image/png", "red.png")
        waiting = page.get_by_role("list", name="Pictures to send")
        expect(waiting).to_contain_text("56 × 28")
        expect(waiting).to_contain_text("3 tokens")
        drop(page, b"no picture", "image/png", "broken.png")
        expect(page.get_by_role("alert")).to_contain_text("cannot be opened as a picture")
        page.get_by_label("Choose pictures").set_input_files(red_square)
        expect(waiting.get_by_role("listitem")).to_have_count(2)
        waiting.get_by_role("button", name="Remove red.png").first.click()
        expect(waiting.get_by_role("listitem")).to_have_count(1)
        ask(page, "what is this?")
        expect(answers(page)).to_contain_text("46, yes")
        expect(questions(page).get_by_role("img", name="red.png")).to_be_visible()
        page.get_by_role("button", name="What the model saw").click()
        expect(page.get_by_role("dialog")).to_contain_text("[INST][IMG][IMG][IMG_END]what is this?")
        page.keyboard.press("Escape")
        page.reload()
        expect(questions(page).get_by_role("img", name="red.png")).to_be_visible()


PASTE = """([data, type]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
  const clipboardData = new DataTransfer()
  clipboardData.items.add(new File([bytes], 'pasted.png', { type }))
  const field = document.querySelector('.composer textarea')
  field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
}"""


def test_pictures_are_pasted(browser, thinking_server, red_square):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        data = base64.b64encode(red_square.read_bytes()).decode()
        page.evaluate(PASTE, [data, "image/png"])
        expect(page.get_by_role("list", name="Pictures to send")).to_contain_text("3 tokens")


def test_calls_of_tools_are_shown_and_their_results_sent(browser, calling_server):
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    with opened(browser, calling_server) as page:
        page.get_by_role("button", name="Settings of this conversation").click()
        tools = page.get_by_label("Tools")
        tools.fill("{")
        expect(page.get_by_role("alert")).to_contain_text("not JSON")
        tools.fill(json.dumps([tool]))
        expect(page.get_by_role("alert")).to_have_count(0)
        page.get_by_role("button", name="Close").click()
        ask(page, "add")
        card = page.get_by_role("region", name="Call of add")
        expect(card).to_contain_text("{}")
        card.get_by_label("What does it give?").fill("42")
        page.get_by_role("button", name="Send the result").click()
        expect(answers(page)).to_have_count(2)
        expect(page.get_by_role("region", name="Call of add").first).to_contain_text("42")


HOSTILE = """# Title

<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>
[a](javascript:window.hacked=1) [here](/v1/models) [b](https://example.org/x) ![p](https://example.org/p.png)

<form action="https://example.org"><input name=x></form>

```python
def f(x):
    return x  # <b>bold</b>
```

Inline $x^2 + \\frac{1}{2}$ and money, $5 and $6.

$$\\int_0^1 x\\,dx = \\frac12$$

| a | b |
|---|---|
| 1 | 2 |
"""


def bundle(text):
    conversation = {
        "id": "c", "title": "Brought along", "created": 1, "updated": 2, "effort": "none",
        "system": "", "temperature": None, "tools": "", "chosen": {},
    }  # fmt: skip
    head = {"conversation": "c", "created": 1, "state": "done"}
    messages = [
        {**head, "id": "q", "parent": None, "role": "user", "text": "<b>mine</b>"},
        {**head, "id": "a", "parent": "q", "role": "assistant", "text": text},
    ]
    bundles = [{"conversation": conversation, "messages": messages}]
    return {"format": "bise-conversations", "version": 1, "conversations": bundles}


def bring(page, tmp_path, value):
    file = tmp_path / "brought.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    page.get_by_label("File of conversations").set_input_files(file)


def test_what_the_model_writes_never_becomes_live(browser, thinking_server, tmp_path):
    with opened(browser, thinking_server) as page:
        bring(page, tmp_path, bundle(HOSTILE))
        page.get_by_role("button", name="Brought along").first.click()
        prose = answers(page).locator(".prose")
        expect(prose.locator("h1")).to_have_text("Title")
        expect(prose).to_contain_text("<img src=x onerror=")
        expect(prose.locator("img, script, form, input, [style], [onerror]")).to_have_count(0)
        hrefs = prose.locator("a").evaluate_all(
            "all => all.map((a) => a.getAttribute('href') ?? '')"
        )
        assert set(hrefs) <= {
            "",  # a link to the server itself leads nowhere
            "https://example.org/x",
            "https://example.org/p.png",
            "https://example.org",
        }
        rels = prose.locator("a").evaluate_all("all => all.map((a) => a.rel + a.target)")
        assert set(rels) == {"noopener noreferrer nofollow_blank"}
        expect(prose.locator(".hljs-keyword").first).to_have_text("def")
        expect(prose.locator("code")).to_contain_text("<b>bold</b>")
        expect(prose.locator("math")).to_have_count(2)
        expect(prose.locator("math mfrac").first).to_be_visible()
        expect(prose).to_contain_text("money, $5 and $6")
        expect(prose).not_to_contain_text("\\frac")
        expect(prose.locator("td").first).to_have_text("1")
        expect(questions(page)).to_contain_text("<b>mine</b>")
        assert page.evaluate("window.hacked") is None


def test_conversations_are_searched_exported_brought_back_and_deleted(
    browser, thinking_server, tmp_path
):
    with opened(browser, thinking_server, accept_downloads=True) as page:
        ask(page, "a needle in hay")
        expect(page.get_by_text("first after")).to_be_visible()
        page.get_by_role("button", name="New conversation").click()
        ask(page, "something else")
        expect(page.get_by_text("first after")).to_be_visible()
        page.keyboard.press("Control+k")
        page.keyboard.type("needle")
        names = page.get_by_role("navigation").locator("li")
        expect(names).to_have_count(1)
        page.get_by_label("Search conversations").fill("")
        expect(names).to_have_count(2)
        with page.expect_download() as download:
            page.get_by_role("button", name="Export all conversations").click()
        saved = tmp_path / "saved.json"
        download.value.save_as(saved)
        file = json.loads(saved.read_text())
        assert file["format"] == "bise-conversations" and len(file["conversations"]) == 2
        page.get_by_role("navigation").locator("li", has_text="needle").hover()
        page.get_by_role("button", name="Delete a needle in hay").click()
        expect(names).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(names).to_have_count(2)
        bring(page, tmp_path, saved.read_text())
        expect(names).to_have_count(4)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _: "{", "not JSON"),
        (lambda file: {**file, "format": "x"}, "not exported here"),
        (lambda file: {**file, "version": 9}, "reads version 1"),
        (lambda file: change(file, 1, parent="nobody"), "no message of this conversation"),
        (lambda file: change(file, 0, parent="a"), "go round in a circle"),
        (lambda file: change(file, 1, role="robot"), "should be one of"),
        (lambda file: change(file, 1, text=3), "should be a text"),
        (lambda file: change(file, 0, pictures=[PICTURE]), "is no picture"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_in_words(
    browser, thinking_server, tmp_path, spoil, words
):
    with opened(browser, thinking_server) as page:
        bring(page, tmp_path, spoil(bundle("fine")))
        expect(page.locator(".notice")).to_contain_text(words)
        expect(page.get_by_role("navigation").locator("li")).to_have_count(0)


PICTURE = {"name": "x", "data": "https://example.org/x.png", "width": 1, "height": 1}


def change(file, at, **fields):
    file["conversations"][0]["messages"][at] |= fields
    return file


def test_a_key_is_asked_for_and_kept_as_long_as_was_said(browser, start, thinker, tmp_path):
    key = add_key(tmp_path / "keys.json", "alice")
    with (
        start(thinker, parts={"ring": KeyRing(tmp_path / "keys.json")}) as server,
        opened(browser, server) as page,
    ):
        prompt = page.get_by_role("dialog", name="This server wants a key")
        prompt.get_by_label("Key", exact=True).fill("bise-wrong")
        prompt.get_by_role("button", name="Use this key").click()
        expect(prompt.get_by_role("alert")).to_contain_text("not known")
        prompt.get_by_label("Key", exact=True).fill(key)
        prompt.get_by_role("button", name="Use this key").click()
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        ask(page, "hi")
        expect(answers(page)).to_contain_text("46, yes")
        page.reload()
        expect(answers(page)).to_contain_text("46, yes")
        assert page.evaluate("localStorage.getItem('bise-key')") is None
        assert page.evaluate("sessionStorage.getItem('bise-key')") == key


def test_a_server_that_is_gone_is_said_in_words(browser, start, thinker):
    with start(thinker) as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        context.set_offline(True)
        ask(page, "hi")
        expect(answers(page).get_by_role("alert")).to_contain_text("cannot be reached")
        context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(answers(page)).to_contain_text("46, yes")
        context.close()


def test_keys_do_what_their_sheet_says(browser, thinking_server):
    with opened(browser, thinking_server) as page:
        expect(page.get_by_text("tiny is listening")).to_be_visible()
        page.get_by_role("heading", level=1).last.click()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text("stop thinking and answer")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("Control+Shift+E")
        expect(page.get_by_role("radio", name="Think")).to_be_checked()
        page.keyboard.press("Control+b")
        expect(page.get_by_role("navigation")).to_have_count(0)
        page.keyboard.press("Control+b")
        ask(page, "one more")
        expect(page.get_by_text("first after")).to_be_visible()
        page.get_by_label("Your message").press("ArrowUp")
        expect(page.get_by_label("Edit your message")).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Shift+O")
        expect(answers(page)).to_have_count(0)


def test_it_fits_a_phone(browser, thinking_server):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with opened(browser, thinking_server, **phone) as page:
        expect(page.get_by_role("navigation")).to_have_count(0)
        ask(page, "hello from a phone with quite a long line that has to be broken somewhere")
        expect(answers(page)).to_contain_text("46, yes")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, "nothing sticks out"
        page.get_by_role("button", name="Conversations").click()
        expect(page.get_by_role("navigation")).to_contain_text("hello from a phone")
        page.get_by_role("button", name="hello from a phone").first.click()
        expect(page.get_by_role("navigation")).to_have_count(0)
