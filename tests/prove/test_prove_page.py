"""The page `/prove` in a real browser, with a real server around a Lean that is none.

Wants playwright and Debian's Chromium, and is not run where they are missing.
"""

import os
import re
import shutil
import zipfile
from contextlib import closing, contextmanager

import pytest
from hosting import FILE, TWO, hosted
from tests.prove.test_prove_door import ring_of
from tests.prove.test_shelf import stop_in_the_middle
from tests.serve.conftest import running

from bise.errors import UserError
from bise.judge.backend import NoLean
from bise.judge.install import installed
from bise.prove.certificate import check_certificate
from bise.prove.door import Proving
from bise.prove.hand import Hand
from bise.prove.hosted import Bench
from bise.serve import Judging

pytestmark = pytest.mark.full
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

CHROMIUM = shutil.which("chromium")
DROP = """text => {
    const made = new DataTransfer()
    made.items.add(new File([text], 'Dropped.lean'))
    return made
}"""
REFUSED = "Failed to load resource: the server responded with a status of 4"


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
def both(thinker):
    with hosted(running, thinker) as made:
        yield made


@pytest.fixture(autouse=True)
def gate(request):
    """Open again after each test."""
    yield
    if "both" in request.fixturenames:
        request.getfixturevalue("both")[1].gate.set()


@contextmanager
def opened(browser, server, **options):
    """The page in a browser that is new; fails if it has errors of its own."""
    context = browser.new_context(**options)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(f"http://127.0.0.1:{server.port}/prove")
    try:
        yield page
    finally:
        context.close()
    assert [one for one in faults if not one.startswith(REFUSED)] == []


def begin(page, source=FILE):
    page.get_by_label("A Lean file").fill(source)
    page.get_by_role("button", name="Search for proofs").click()


def badge(page):
    return page.locator("#state")


def saved(page, name, folder):
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_a_proof_is_searched_watched_reloaded_and_taken_home(browser, both, tmp_path):
    server, made = both
    with opened(browser, server) as page:
        expect(page.get_by_text("tiny as well")).to_be_visible()
        made.gate.clear()
        begin(page, TWO)
        expect(badge(page)).to_have_text("searching")
        expect(page).to_have_url(re.compile(r"/prove#[\w-]{22}$"))
        page.reload()
        expect(badge(page)).to_have_text("searching")
        expect(page.locator("#meters")).to_contain_text(re.compile(r"0:0[1-9] of 5:00"))
        made.gate.set()
        expect(badge(page)).to_have_text("ended")
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")
        expect(page.locator("#goals")).to_contain_text("main closed")
        expect(page.locator("#diff .added", has_text="omega")).to_have_count(2)
        expect(page.get_by_role("log")).to_contain_text("closed main: omega")
        assert saved(page, "Download the file", tmp_path).read_text().count("omega") == 2
        with zipfile.ZipFile(saved(page, "Download the certificate", tmp_path)) as packed:
            assert "certificate/certificate.json" in packed.namelist()
        page.reload()
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")


def test_what_lean_says_is_text_and_never_markup(browser, both):
    with opened(browser, both[0]) as page:
        begin(page, TWO)
        expect(page.locator("#grounds")).to_contain_text("checked by <b>kernel</b> (fake)")
        expect(page.locator("#diff")).to_contain_text("other <b>&amp; (n : Nat)")
        assert page.locator("#diff b, #grounds b").count() == 0


def test_a_search_is_stopped_then_another_made_and_the_first_looked_at(browser, both):
    server, made = both
    with opened(browser, server) as page:
        made.gate.clear()
        begin(page)
        expect(badge(page)).to_have_text("searching")
        first = page.url
        page.get_by_role("button", name="Stop").click()
        expect(badge(page)).to_have_text("stopping after this step")
        expect(page.get_by_role("button", name="Stop")).to_be_disabled()
        made.gate.set()
        expect(page.locator("#outcome")).to_have_text("Open: stopped")
        expect(page.get_by_role("button", name="Download the certificate")).to_be_hidden()
        begin(page, TWO)
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")
        earlier = page.get_by_role("navigation", name="Searches").get_by_role("link")
        known = server.client.get("/v1/prove").json()["data"]
        expect(earlier).to_have_count(len(known))
        page.locator(f'#runs a[href="#{first.partition("#")[2]}"]').click()
        expect(page.locator("#outcome")).to_have_text("Open: stopped")
        assert page.url == first
        page.get_by_role("button", name="Forget").click()
        expect(page.locator("#run")).to_be_hidden()
        expect(earlier).to_have_count(len(known) - 1)


def test_a_server_that_comes_back_has_its_searches_and_goes_on_with_them(
    browser, thinker, tmp_path
):
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        path = stop_in_the_middle(server, made, name="Two.lean")
    with (
        hosted(running, thinker, searches=tmp_path) as (server, made),
        opened(browser, server) as page,
    ):
        row = page.locator("#runs li")
        expect(row).to_have_text("Two.lean interrupted")
        row.get_by_role("link").click()
        expect(badge(page)).to_have_text("interrupted")
        expect(page.locator("#note")).to_contain_text("what it had found is kept")
        expect(page.locator("#diff .added", has_text="omega")).to_have_count(1)
        expect(page.get_by_role("button", name="Forget")).to_be_visible()
        made.gate.clear()
        page.get_by_role("button", name="Resume").click()
        expect(badge(page)).to_have_text("searching")
        expect(page.get_by_role("button", name="Resume")).to_be_hidden()
        made.gate.set()
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")
        expect(page.locator("#diff .added", has_text="omega")).to_have_count(2)
        expect(row).to_have_text("Two.lean proved")
        assert page.url.endswith(path.rpartition("/")[2])


def test_one_that_waits_says_how_many_come_before_it(browser, both):
    server, made = both
    with opened(browser, server) as page, opened(browser, server) as other:
        made.gate.clear()
        begin(page)
        expect(badge(page)).to_have_text("searching")
        begin(other)
        expect(badge(other)).to_have_text("waiting, 1 before it")
        made.gate.set()
        expect(badge(other)).to_have_text("ended")


def test_refusals_are_told_in_words(browser, both):
    with opened(browser, both[0]) as page:
        begin(page, "theorem a : 1 = 1 := rfl")
        expect(page.get_by_role("alert")).to_contain_text("has no `sorry`")
        begin(page, "theorem a : 1 = 2 := by wrong\n\n" + FILE)
        expect(page.locator("#outcome")).to_contain_text("Lean does not take the file as it is")
        expect(page.locator("#messages")).to_contain_text("error, line 1, column 0")
        expect(page.get_by_role("alert")).to_be_hidden()
        page.goto(f"http://127.0.0.1:{both[0].port}/prove#nothing")
        expect(page.get_by_role("alert")).to_contain_text("is known here")


def test_files_are_opened_and_dropped_and_all_is_done_by_keyboard(browser, both, tmp_path):
    file = tmp_path / "Dropped.lean"
    file.write_text(FILE)
    with opened(browser, both[0]) as page:
        page.locator("#file").set_input_files(file)
        expect(page.get_by_label("A Lean file")).to_have_value(FILE)
        dropped = page.evaluate_handle(DROP, TWO)
        page.get_by_label("A Lean file").dispatch_event("drop", {"dataTransfer": dropped})
        expect(page.get_by_label("A Lean file")).to_have_value(TWO)
        page.get_by_label("A Lean file").focus()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", name="Dropped.lean")).to_be_visible()
        expect(badge(page)).to_have_text("ended")
        name = saved(page, "Download the file", tmp_path).name
        assert name == "Dropped.proved.lean"
        assert "Dropped.lean" in page.title()


def test_a_key_is_asked_for_and_used(browser, thinker):
    key = "key-of-somebody-00000"
    with (
        hosted(running, thinker, parts={"ring": ring_of([key])}) as (server, _),
        opened(browser, server) as page,
    ):
        sheet = page.get_by_role("dialog")
        expect(sheet).to_be_visible()
        sheet.get_by_label("Key", exact=True).fill(key)
        sheet.get_by_role("button", name="Use it").click()
        expect(page.get_by_text("tiny as well")).to_be_visible()
        begin(page)
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")
        page.reload()
        expect(page.locator("#outcome")).to_have_text("Proved: the judge accepted it")
        assert key not in page.url


def test_a_real_lean_proves_and_what_is_taken_home_is_judged_again(browser, thinker, tmp_path):
    try:
        installed()
    except NoLean as fault:
        pytest.skip(f"{fault.message}: {fault.hint}")
    judging = Judging(num_at_once=1)
    proving = Proving(Bench(judging=judging))
    parts, guests = {"judging": judging}, [proving.add_to]
    with (
        running(thinker, parts=parts, guests=guests) as server,
        closing(proving),
        opened(browser, server) as page,
    ):
        begin(page, FILE + "\ntheorem twice (n m : Nat) : f (n + m) = f m + n := sorry\n")
        expect(page.locator("#outcome")).to_have_text(
            "Proved: the judge accepted it", timeout=300_000
        )
        with zipfile.ZipFile(saved(page, "Download the certificate", tmp_path)) as packed:
            packed.extractall(tmp_path)
    folder = tmp_path / "certificate"
    with Hand() as hand:
        assert check_certificate(folder, hand.judge).is_accepted
        submission = folder / "submission.lean"
        submission.write_text(submission.read_text().replace("m)", "m) "))
        with pytest.raises(UserError, match="was changed"):
            check_certificate(folder, hand.judge)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, both, scheme):
    size = {"width": 390, "height": 780}
    with opened(browser, both[0], viewport=size, color_scheme=scheme) as page:
        begin(page, TWO.replace("f n = n", "f n = n ∧ " + "f (f n) = n ∧ " * 12 + "n = n"))
        expect(badge(page)).to_have_text("ended")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
