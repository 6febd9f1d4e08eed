"""A user's fault is told once, whichever process met it."""

import pytest

from bise.errors import UserError
from bise.train.ranks import Ranks, launch


def _fail(ranks: Ranks, failing: tuple[int, ...]) -> None:
    if ranks.rank in failing:
        raise UserError("the cup is empty", hint="fill it")
    ranks.meet()


@pytest.mark.slow
@pytest.mark.parametrize("failing", [(1,), (0, 1)])
def test_a_users_fault_in_another_process_is_one_line_here(
    failing: tuple[int, ...], capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(UserError, match="the cup is empty") as caught:
        launch(2, _fail, failing)
    assert caught.value.hint == "fill it"
    assert "Traceback" not in capfd.readouterr().err
