"""No limit is ever exceeded, whatever happens at once."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bise.prove.budget import Budget, Price, Spent, Usage, pass_at

PRICE = Price(prompt=1.0, cached=0.1, output=4.0)


def test_a_call_that_does_not_fit_is_not_made():
    budget = Budget(tokens=100)
    with budget.call(40, 40) as usage:
        usage.prompt_tokens, usage.output_tokens = 30, 10
    with pytest.raises(Spent, match="tokens"), budget.call(40, 40):
        raise AssertionError("must not be begun")
    with budget.call(40, 20):
        pass
    assert budget.used.tokens == 40
    assert budget.fitting_output(40, 1000) == 20
    with pytest.raises(Spent):
        budget.fitting_output(60, 1)


def test_dollars_are_reserved_at_their_most_and_settled_at_what_it_was():
    budget = Budget(dollars=1.0, price=PRICE)
    with budget.call(100_000, 100_000) as usage:
        with pytest.raises(Spent, match="dollars"), budget.call(200_000, 80_000):
            pass
        usage.prompt_tokens, usage.cached_tokens, usage.output_tokens = 100_000, 50_000, 10_000
    assert budget.used.dollars == pytest.approx(0.05 + 0.005 + 0.04)
    assert budget.fitting_output(0, 10**9) == pytest.approx((1 - 0.095) / 4e-6, abs=1)


def test_hours_of_a_machine_are_reserved_like_tokens():
    budget = Budget(dollars=1.0, price=Price(hour=3600.0))  # a dollar a second
    assert budget.fitting_seconds(100, 100, 600.0) == pytest.approx(1.0)
    with pytest.raises(Spent, match="dollars"), budget.call(1, 1, most_s=1.1):
        raise AssertionError("must not be begun")
    with budget.call(100, 100, most_s=1.0) as usage:
        with pytest.raises(Spent, match="dollars"):
            budget.fitting_seconds(100, 100, 600.0)  # all of it is reserved
        usage.calls, usage.seconds = 1, 0.25
    assert budget.used.dollars == pytest.approx(0.25)
    with pytest.raises(Spent, match="dollars"):
        budget.fitting_seconds(100, 100, 600.0)  # less than a second is left
    assert Budget(price=Price(hour=9.0)).fitting_seconds(1, 1, 600.0) == 600.0
    assert Budget(dollars=1.0, price=PRICE).fitting_seconds(1, 1, 600.0) == 600.0


def test_where_time_and_tokens_cost_both_have_a_share():
    budget = Budget(dollars=8.0, price=Price(output=4.0, hour=3600.0))
    most = budget.fitting_output(0, 10**9)
    assert most == 1_000_000
    assert budget.fitting_seconds(0, most, 600.0) == pytest.approx(4.0)


def test_of_what_broke_off_only_the_time_that_passed_counts():
    budget = Budget(dollars=100.0, tokens=100, price=Price(hour=3600.0))
    with pytest.raises(OSError), budget.call(30, 30, most_s=60.0):
        raise OSError
    assert budget.used.tokens == 60 and budget.used.dollars < 10


def test_what_broke_off_counts_whole():
    budget = Budget(tokens=100)
    with pytest.raises(OSError), budget.call(30, 30):
        raise OSError
    assert budget.used.tokens == 60


def test_time_and_checks_and_a_person_end_it():
    with pytest.raises(Spent, match="minutes"):
        Budget(minutes=1e-9).need_time()
    budget = Budget(checks=2)
    budget.check()
    budget.check()
    with pytest.raises(Spent, match="checks"):
        budget.check()
    stopped = Budget(is_interrupted=True)
    with pytest.raises(Spent), stopped.call(1, 1):
        pass


def test_threads_share_one_budget():
    budget, made = Budget(tokens=1000), list[int]()

    def work() -> None:
        while True:
            try:
                with budget.call(7, 13) as usage:
                    usage.prompt_tokens, usage.output_tokens = 7, 13
                    made.append(20)
            except Spent:
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(made) == budget.used.tokens == 1000


@given(st.integers(1, 40), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(num, data):
    right, k = data.draw(st.integers(0, num)), data.draw(st.integers(1, num))
    found = pass_at(num, right, k)
    assert 0 <= found <= 1
    assert found == pytest.approx(1.0) if num - right < k else found < 1
    if k == 1:
        assert found == pytest.approx(right / num)


def test_pass_at_k_by_hand():
    assert pass_at(4, 2, 2) == pytest.approx(1 - 1 / 6)
    with pytest.raises(Exception, match="pass@5"):
        pass_at(4, 2, 5)


def test_usage_adds_up():
    usage = Usage(calls=1, prompt_tokens=2, seconds=0.5)
    usage.add(Usage(calls=2, output_tokens=3, dollars=0.25))
    assert (usage.calls, usage.tokens, usage.seconds, usage.dollars) == (3, 5, 0.5, 0.25)
