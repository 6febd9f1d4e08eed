"""Tactics for goals: right ones are marked right, wrong ones wrong, and Lean agrees."""

import re
from dataclasses import replace
from random import Random
from time import perf_counter

import pytest

from bise.evals.lean.check import is_right
from bise.evals.lean.facts import FACTS, others
from bise.evals.lean.goals import LOGIC
from bise.evals.lean.looking import look_through
from bise.evals.lean.tasks import TACTICS, Lean, tactic_of
from bise.evals.lean.terms import read_goal
from bise.evals.task import Example, is_held_out
from bise.text import ChatFormat
from bise.train.conversations import turn

TASK = Lean()
EVERY = TASK.levels + TASK.shape_levels
CASE = re.compile(r"^case \w+\n")


def draw(level: str, num: int = 200, reach: float = 1.0) -> list[Example]:
    rng = Random(f"lean {level}")
    split = "held_out" if level in TASK.shape_levels else "train"
    return [TASK.sample(rng, level, split, reach) for _ in range(num)]


def goal_of(example: Example) -> str:
    return example.form.partition(": ")[2]


def statement(example: Example, proof: str) -> str:
    """An `example` of Lean with this goal, proved so."""
    before, _, target = goal_of(example).partition("⊢ ")
    bound, intro = "", ""
    for line in before.splitlines():
        name, _, kind = line.partition(" : ")
        if name == "a✝":
            target, intro = f"({kind}) → ({target})", "intro; "
        else:
            bound += f" ({line})"
    return f"example{bound} : {target} := by\n  {intro}{proof}\n"


@pytest.mark.parametrize("level", EVERY)
def test_answers_are_right_and_others_wrong(level):
    for example in draw(level):
        assert TASK.grade(example, example.answer) == 1.0, example
        assert TASK.grade(example, f"`{example.answer}`\nomega") == 1.0
        for wrong in ("", "sorry", f"{example.answer} ⊢", "exact nothing", "exact (", "⊢"):
            assert TASK.grade(example, wrong) == 0.0, (wrong, example)
        assert example.thinking and "\n" not in example.answer
        assert goal_of(example) in example.question


def test_only_the_hypothesis_that_says_it_is_the_answer():
    for example in draw("assumption"):
        known = read_goal(goal_of(example)).known
        for name, fact in known.items():
            is_it = fact == read_goal(goal_of(example)).target
            assert TASK.grade(example, f"exact {name}") == is_it or "→" in example.question


def test_no_reply_raises_and_marking_is_fast():
    rng = Random(5)
    words = "exact intro apply rcases obtain cases with := h h1 hp .1 .2 .mp ⟨ ⟩ ( ) , | fun x => "
    words = [
        *words.split(),
        "▸",
        "?_",
        "_",
        "Or.inl",
        ".elim",
        "False",
        "absurd",
        "exists",
        ";",
        "rw",
    ]
    for level in EVERY:
        for example in draw(level, 25):
            own = [*words, *re.findall(r"[\w✝]+", example.question)]
            for _ in range(20):
                reply = " ".join(rng.choices(own, k=rng.randint(1, 12)))
                start = perf_counter()
                assert 0.0 <= TASK.grade(example, reply) <= 1.0
                assert perf_counter() - start < 2.0, (reply, example)


@pytest.mark.parametrize("level", TASK.levels)
def test_the_easiest_are_short_and_the_same_source_gives_the_same(level):
    easy = [one.question for one in draw(level, 100, reach=0.0)]
    assert easy == [one.question for one in draw(level, 100, reach=0.0)]
    assert sum(map(len, easy)) < sum(len(one.question) for one in draw(level, 100))


@pytest.mark.parametrize("level", TASK.levels)
def test_training_and_evaluation_share_no_goal(level):
    rng = Random(1)
    for split in ("train", "held_out"):
        for _ in range(20):
            assert is_held_out(TASK.sample(rng, level, split).form) == (split == "held_out")


def test_levels_are_varied():
    for level in TASK.levels:
        examples = draw(level, 500)
        assert len({one.form for one in examples}) > 400, level
    asked = [one for level in TASK.levels for one in draw(level)]
    bare = [one for one in asked if one.system]
    assert 0.4 < len(bare) / len(asked) < 0.6
    assert all(CASE.sub("", one.question) == goal_of(one) for one in bare)
    assert any(one.system == TACTICS.format(count=8) for one in bare)
    assert len({one.answer.split()[0] for one in asked}) > 12


def test_shapes_are_larger_than_what_is_trained():
    trained = max(one.answer.count(".") for one in draw("projection", 1000))
    assert min(one.answer.count(".") for one in draw("deep")) > trained
    assert all(one.question.count("→") >= 3 for one in draw("three steps"))


def test_samples_are_short(tekken):
    chat = ChatFormat(tekken)
    for level in EVERY:
        sizes = [
            len(chat.encode(turn(one, "high"), tools=(), effort="high", finished=True).ids)
            for one in draw(level, 100)
        ]
        assert max(sizes) < 512 and sum(sizes) / 100 < 300, (level, max(sizes), sum(sizes) / 100)


AND = "p q : Prop\nh : p ∧ q\n⊢ q"
OR = "p q r : Prop\nh : p ∨ q\nf : p → r\ng : q → r\n⊢ r"
BOTH = "p q : Prop\nhp : p\nhq : q\n⊢ p ∧ q"
ALL = "α : Type\nP Q : α → Prop\na : α\nh : ∀ (x : α), P x → Q x\nha : P a\n⊢ Q a"
SOME = "α : Type\nP Q : α → Prop\na : α\nh : ∀ (x : α), P x → Q x\nha : P a\n⊢ ∃ x, Q x"
OPEN = "α : Type\nP Q : α → Prop\nh : ∃ y, P y ∧ Q y\n⊢ ∃ x, Q x ∧ P x"
NO = "p q : Prop\nh : p\nk : ¬p\n⊢ q"
ARROW = "p q : Prop\nh : q\n⊢ p → q"


@pytest.mark.parametrize(
    ("goal", "right", "wrong"),
    [
        (
            AND,
            "exact h.2|exact h.right|exact And.right h|exact (h).2|obtain ⟨_, hq⟩ := h|cases h",
            "exact h.1|exact h|assumption|rfl|constructor|exact h.3|exact h.2.1|exact h.",
        ),
        (
            OR,
            "rcases h with hp | hq|cases h|exact h.elim f g|exact h.elim (fun x => f x) g",
            "apply f|apply g|exact f h|exact h.elim g f|rcases h with ⟨a, b⟩|cases f",
        ),
        (
            BOTH,
            "constructor|exact ⟨hp, hq⟩|exact And.intro hp hq|refine ⟨?_, ?_⟩|refine ⟨hp, ?_⟩",
            "exact ⟨hq, hp⟩|left|exact hp|exact ⟨hp, ?_⟩|exact ⟨hp⟩|apply Or.inl",
        ),
        (ALL, "exact h a ha|exact h _ ha|apply h|exact (h a) ha", "exact h ha|exact h a|exact ha"),
        (SOME, "exact ⟨a, h a ha⟩|refine ⟨a, ?_⟩|exists a", "exact ⟨a, ha⟩|exists b|exact ⟨ha, a⟩"),
        (
            OPEN,
            "obtain ⟨x, hx⟩ := h|rcases h with ⟨x, hp, hq⟩|obtain ⟨x, ⟨hp, hq⟩⟩ := h|cases h",
            "exact h|exact ⟨h.1, h.2⟩|left|obtain ⟨x, y, z, w⟩ := h",
        ),
        (
            NO,
            "contradiction|exact absurd h k|exfalso|exact (k h).elim|exact False.elim (k h)",
            "exact h|exact k h|assumption",
        ),
        (ARROW, "intro hp|exact fun _ => h|intro", "exact h|intro a b|exact fun x => x|left"),
    ],
)
def test_ways_around_are_right_too(goal, right, wrong):
    read = read_goal(goal)
    for tactic in re.split(r"(?<! )\|(?! )", right):
        assert is_right(read, tactic), tactic
    for tactic in re.split(r"(?<! )\|(?! )", wrong):
        assert not is_right(read, tactic), tactic


def test_the_first_line_is_the_tactic():
    assert tactic_of("```lean\nexact h\n```") == "exact h"
    assert tactic_of("- `rfl`\n- simp") == "rfl"
    assert tactic_of("") == ""


def test_deeply_nested_words_are_wrong_and_fast():
    example = replace(draw("split", 1)[0])
    for wrong in ("exact " + "(" * 5000, "exact " + "⟨h, " * 5000, "x" * 10**6, "exact fun"):
        assert TASK.grade(example, wrong) == 0.0


@pytest.fixture(scope="module")
def pool():
    from bise.judge.backend import NoLean
    from bise.judge.install import installed
    from bise.prove.hand import Hand

    try:
        installed()
    except NoLean as fault:
        pytest.skip(f"{fault.message}: {fault.hint}")
    with Hand() as hand:
        yield hand.pool


@pytest.mark.full
@pytest.mark.parametrize("level", EVERY)
def test_lean_prints_these_goals_and_takes_these_tactics(level, pool):
    examples = draw(level, 10, reach=0.3) + draw(level, 15)
    found = pool.check("".join(statement(one, "sorry") for one in examples))
    assert [one.text for one in found.goals] == [goal_of(one) for one in examples]
    proofs = {
        statement(one, f"{tactic}\n  all_goals sorry"): one
        for one in examples
        for tactic in [
            one.answer,
            *(others(one.form.split(":")[0], one.answer) if level in FACTS else []),
        ]
    }
    answered = pool.check("".join(proofs), with_goals=False)
    starts = [0]
    for proof in proofs:
        starts.append(starts[-1] + proof.count("\n"))
    wrong = [
        (one.text, list(proofs)[sum(start < one.start.line for start in starts) - 1])
        for one in answered.messages
        if one.severity == "error"
    ]
    assert answered.end == "answered" and not wrong, "\n\n".join(map("\n".join, wrong))


@pytest.mark.full
def test_whole_goals_of_one_step_are_closed(pool):
    closing = [
        one
        for level in EVERY
        for one in draw(level, 10)
        if one.answer.startswith(("exact", "rfl", "omega", "decide", "simp", "rw", "contradiction"))
    ]
    assert {one.level for one in closing} > set(LOGIC) - {"intro", "cases"}
    found = pool.check("".join(statement(one, one.answer) for one in closing), with_goals=False)
    assert not found.has_errors and not found.has_gaps, [
        one for one in found.messages if one.severity == "error"
    ]


def guesses(example: Example) -> list[str]:
    """Tactics a person might try here."""
    goal = read_goal(goal_of(example))
    tries = "constructor left right exfalso contradiction trivial intro|intro new|intro new new'"
    tries += "|exact fun new => new|refine ⟨?_, ?_⟩|exact ⟨_, ?_⟩"
    found = tries.replace(" ", "|", 6).split("|")
    for one in goal.known:
        found += [f"apply {one}", f"cases {one}", f"exact {one}", f"exact {one}.elim"]
        found += [f"rcases {one} with a1 | b1", f"obtain ⟨a1, b1⟩ := {one}", f"exact {one}.mp"]
        found += [f"rcases {one} with ⟨a1, b1⟩ | c1", f"apply {one}.2", f"exact Or.inr {one}"]
        found += [f"exact {one} {other}" for other in goal.known]
        found += [f"exact ⟨{one}, {other}⟩" for other in (*goal.known, *goal.terms)]
        found += [f"exact ⟨{term}, {one}⟩" for term in goal.terms]
        found += [f"exact {one} _ {other}" for other in goal.known]
        found += [f"intro new; exact {one}", f"refine ⟨{one}, ?_⟩", f"exact absurd {one} ?_"]
    return [one for one in found if TASK.grade(example, one)]


@pytest.mark.full
@pytest.mark.parametrize("level", LOGIC)
def test_lean_takes_whatever_is_marked_right(level, pool):
    proofs = [
        statement(one, f"{tactic}\n  all_goals sorry")
        for one in draw(level, 25)
        if "a✝" not in one.question
        for tactic in guesses(one)
    ]
    found = pool.check("".join(proofs), with_goals=False)
    assert found.end == "answered" and len(proofs) > 25
    lines = "".join(proofs).splitlines()
    wrong = [one for one in found.messages if one.severity == "error"]
    assert not wrong, [(lines[one.start.line - 2 : one.start.line], one.text) for one in wrong]


def test_thinking_judges_every_hypothesis_where_it_stands():
    goal = "p q r : Prop\nh : q → r\nk : p ∧ q\nn : ¬p\no : p ∨ r\n⊢ r"
    assert look_through(goal) == (
        "h : q → r -- gives it from q\n"
        "k : p ∧ q -- no\n"
        "n : ¬p -- denies p\n"
        "o : p ∨ r -- two cases\n"
        "Is there q, p?\n"
        "h : q → r -- no\n"
        "k : p ∧ q -- no\n"
        "n : ¬p -- no\n"
        "o : p ∨ r -- no"
    )
    goal = "a b : Nat\nh : a ≠ b\nk : b = 3 ∧ a ≠ b\n⊢ b = 3 ∧ a ≠ b"
    assert look_through(goal) == "h : a ≠ b -- is part 2\nk : b = 3 ∧ a ≠ b -- is it"
    goal = "α : Type\nP Q : α → Prop\na : α\nh : ∀ (x : α), P x → Q x\nk : P a\n⊢ Q a"
    assert look_through(goal).splitlines() == [
        "h : ∀ (x : α), P x → Q x -- gives it from P a",
        "k : P a -- no",
        "Is there P a?",
        "h : ∀ (x : α), P x → Q x -- no",
        "k : P a -- yes",
    ]


def test_thinking_never_says_what_is_not_known():
    for level in EVERY:
        for example in draw(level, 50):
            assert "#" not in example.thinking, example
