"""The planner, tested with integers: nobody starves, no page is lost, nothing is computed twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bise.engine.pages import PAGE_TOKENS, Holding, PagePool
from bise.engine.scheduler import Scheduler, Track


def _track(number: int, tokens: list[int], priority: int = 0, salt: str = "") -> Track:
    return Track(number, priority, list(tokens), list(tokens), Holding(salt))


def _scheduler(num_pages: int, max_running: int = 4, budget: int = 64) -> Scheduler:
    return Scheduler(PagePool(num_pages), max_running, budget)


def _pages_are_conserved(scheduler: Scheduler) -> None:
    pool = scheduler.pool
    held = [page for one in scheduler.running for page in one.holding.own]
    known = list[int]()
    stack = list(pool.roots.values())
    while stack:
        node = stack.pop()
        if node.page >= 0:
            known.append(node.page)
        assert node.num_children == sum(child.slot < 0 for child in node.children.values())
        stack += node.children.values()
    assert sorted(held + known + pool.free) == list(range(pool.num_pages))
    users = sum(len(one.holding.nodes) for one in scheduler.running)
    assert users == sum(_count_users(root) for root in pool.roots.values())
    if pool.shelf is not None:
        _shelf_is_in_order(pool)


class Slots:
    """A shelf without a disk: remembers which page was put where."""

    def __init__(self, num: int):
        self.free = list(range(num))
        self.kept: set[int] = set()

    def put(self, page: int) -> int | None:
        assert page >= 0
        if not self.free:
            return None
        slot = self.free.pop()
        self.kept.add(slot)
        return slot

    def fetch(self, slot: int, page: int) -> None:
        assert page >= 0
        self.drop(slot)

    def drop(self, slot: int) -> None:
        self.kept.remove(slot)
        self.free.append(slot)


def _shelf_is_in_order(pool: PagePool) -> None:
    slots, stack = set[int](), list(pool.roots.values())
    while stack:
        node = stack.pop()
        if node.slot >= 0:
            slots.add(node.slot)
            assert node.page == -1 and node.num_users == 0
        stack += node.children.values()
    assert slots == set(pool.shelved) == pool.shelf.kept


def _count_users(node) -> int:
    return node.num_users + sum(_count_users(child) for child in node.children.values())


def _run_to_end(scheduler: Scheduler, replies: dict[int, int], max_steps: int = 10_000) -> int:
    """Every request that has caught up gets a token, until its reply is long enough."""
    num_computed = 0
    for _ in range(max_steps):
        if not scheduler.waiting and not scheduler.running:
            return num_computed
        step = scheduler.plan()
        assert step, "requests wait and nothing is planned"
        num_computed += sum(one.count for one in step)
        scheduler.done(step)
        for one in step:
            if one.is_last:
                replies[one.track.number] -= 1
                if replies[one.track.number] == 0:
                    scheduler.remove(one.track)
                else:
                    scheduler.settle(one.track, 0, [7])
        _pages_are_conserved(scheduler)
    raise AssertionError("somebody starves")


def test_many_with_the_same_beginning_compute_it_once():
    scheduler = _scheduler(1000, max_running=16, budget=512)
    beginning = list(range(2000))
    tracks = [_track(number, [*beginning, 5000 + number]) for number in range(64)]
    for track in tracks:
        scheduler.add(track)
    num_computed = _run_to_end(scheduler, dict.fromkeys(range(64), 1))
    assert num_computed == 2000 + 64
    assert sum(track.num_cached for track in tracks) == 63 * 2000


def test_a_conversation_computes_only_what_is_new():
    scheduler = _scheduler(200)
    text: list[int] = []
    for turn in range(20):
        text = text + [turn] * 23
        scheduler.add(_track(turn, text))
        computed = _run_to_end(scheduler, {turn: 1})
        assert computed <= 23 + PAGE_TOKENS


def test_what_memory_has_no_room_for_comes_back_from_the_shelf():
    scheduler = Scheduler(PagePool(8, shelf=Slots(20)), 4, 64)
    for number, first in enumerate([0, 500, 0, 500]):
        scheduler.add(_track(number, list(range(first, first + 100))))
        computed = _run_to_end(scheduler, {number: 1})
        assert computed == (100 if number < 2 else 4)


def test_tenants_do_not_see_each_other():
    scheduler = _scheduler(200)
    for number, salt in enumerate(["a", "b"]):
        scheduler.add(_track(number, list(range(100)), salt=salt))
    assert _run_to_end(scheduler, {0: 1, 1: 1}) == 200


def test_streams_keep_moving_while_a_long_prompt_is_read():
    scheduler = _scheduler(400, budget=64)
    talker = _track(0, [1, 2, 3])
    scheduler.add(talker)
    scheduler.done(scheduler.plan())
    scheduler.settle(talker, 0, [9])
    scheduler.add(_track(1, list(range(1000))))
    for _ in range(20):
        step = scheduler.plan()
        assert step[0].track.number == 0
        assert sum(one.count for one in step) <= 64
        scheduler.done(step)
        scheduler.settle(talker, 0, [9])
    assert scheduler.running[1].num_computed == 1000


def test_the_important_go_first_and_the_young_give_way():
    scheduler = _scheduler(6, max_running=2, budget=64)
    scheduler.add(_track(0, list(range(40)), priority=5))
    scheduler.done(scheduler.plan())
    scheduler.add(_track(1, list(range(100, 180)), priority=0))
    step = scheduler.plan()
    scheduler.done(step)
    scheduler.done(scheduler.plan())
    assert scheduler.num_preemptions == 1
    assert [one.number for one in scheduler.running] == [1]
    _pages_are_conserved(scheduler)


def test_drafts_are_not_shared_before_they_are_accepted():
    scheduler = _scheduler(20)
    track = _track(0, list(range(15)))
    scheduler.add(track)
    scheduler.done(scheduler.plan())
    scheduler.settle(track, 0, [15])
    scheduler.propose(track, [16, 17, 18])
    scheduler.done(scheduler.plan())
    assert track.holding.num_known == 16
    scheduler.settle(track, 1, [99])
    assert track.tokens[-3:] == [15, 16, 99]
    assert track.num_computed == 17
    _pages_are_conserved(scheduler)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 90), st.integers(1, 30), st.integers(0, 2)),
        min_size=1,
        max_size=14,
    ),
    st.integers(9, 40),
    st.sampled_from([True, False]),
    st.sampled_from([None, 1, 3, 50]),
)
def test_everybody_finishes_and_every_page_comes_back(requests, num_pages, shares, num_slots):
    shelf = None if num_slots is None else Slots(num_slots)
    scheduler = Scheduler(PagePool(num_pages, shares=shares, shelf=shelf), 4, 48)
    replies = {}
    for number, (family, prompt, reply, priority) in enumerate(requests):
        scheduler.add(_track(number, [family] * prompt, priority))
        replies[number] = reply
    _run_to_end(scheduler, replies)
    assert scheduler.pool.num_used == 0
    scheduler.pool.forget_all()
    assert sorted(scheduler.pool.free) == list(range(num_pages))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_cancelling_at_any_moment_frees_at_once(data):
    scheduler = _scheduler(12, max_running=3, budget=32)
    alive: list[Track] = []
    for number in range(data.draw(st.integers(1, 25))):
        if data.draw(st.booleans()) or not alive:
            track = _track(number, [number % 3] * data.draw(st.integers(1, 60)))
            scheduler.add(track)
            alive.append(track)
        else:
            gone = alive.pop(data.draw(st.integers(0, len(alive) - 1)))
            scheduler.remove(gone)
            assert not gone.holding.pages
        step = scheduler.plan()
        scheduler.done(step)
        for one in step:
            if one.is_last:
                scheduler.settle(one.track, 0, [1])
        alive = [one for one in alive if len(one.tokens) < 150 or scheduler.remove(one)]
        _pages_are_conserved(scheduler)
    for one in alive:
        scheduler.remove(one)
    assert scheduler.pool.num_used == 0


def test_a_draft_that_does_not_fit_whole_is_dropped():
    """Cut apart, a guess would be checked by what follows another token."""
    scheduler = _scheduler(20, max_running=2, budget=4)
    first, second = _track(0, [1, 2, 3]), _track(1, [4, 5])
    for track in (first, second):
        scheduler.add(track)
    while step := scheduler.plan():
        scheduler.done(step)
    for track in (first, second):
        scheduler.settle(track, 0, [9])
        scheduler.propose(track, [7, 7])
    step = scheduler.plan()
    assert [(one.track.number, one.count) for one in step] == [(0, 3), (1, 1)]
    assert all(one.is_last for one in step)
    assert second.tokens == [4, 5, 9]


def test_what_a_preempted_request_finds_of_its_own_is_not_counted_as_cached():
    scheduler = _scheduler(20)
    track = _track(0, list(range(40)))
    scheduler.add(track)
    scheduler.done(scheduler.plan())
    scheduler._preempt(track)
    (one,) = scheduler.plan()
    assert one.count < 40, "it finds its own pages again"
    assert track.num_cached == 0
    later = _track(1, list(range(40)))
    scheduler.done([one])
    scheduler.add(later)
    scheduler.plan()
    assert later.num_cached == 32


def test_a_preempted_request_loses_its_draft():
    scheduler = _scheduler(20)
    track = _track(0, list(range(10)))
    scheduler.add(track)
    scheduler.done(scheduler.plan())
    scheduler.settle(track, 0, [9])
    scheduler.propose(track, [7, 7])
    scheduler._preempt(track)
    (one,) = scheduler.plan()
    assert (one.count, track.num_draft) == (11, 0)
