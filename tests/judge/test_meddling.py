"""A source that could run code with power over its compilation is told from one that could not."""

import time

import pytest
from recorded import CASES, read

from bise.judge.meddling import meddling_word, tokens

HONEST = {
    "signs with a hash": "def f (w : Nat) := 0#w\ndef g := #v[1, 2]\n#check_simp 1 + 0 ~> 1\n",
    "a letter after a bracket": "theorem f : ∃ c : Char, c = '\"' := ⟨'\"', rfl⟩\n#eval 1\n",
    "a named pattern": "def f : List Nat → Nat\n  | l@(x :: _) => x\n  | _ => 0\n",
    "a binder that quotes": (
        'binder_predicate x " ≻ " y:term => `($x > $y)\ntheorem f : ∃ x ≻ 1, True := ⟨2, by simp⟩\n'
    ),
    "a list spliced": 'macro "x" ys:term,* : term => `([$ys,*] ++ [$[$ys],*])\n#check Nat\n',
    "names with subscripts": 'macro "x" y₁:term z₁a:term : term => `($y₁ + $z₁a)\n#check Nat\n',
    "a sign in another command": 'infixl:65 " ⊹ " => f\ndef g := f $ 1\n',
    "braces and apostrophes in texts": (
        """/- no sorry -/ def f := s!"{x}'s {y'} it's" ++ "'}'"\n#eval f\n"""
    ),
    "coercions beside notation": (
        'instance : Coe Nat Int := ⟨Int.ofNat⟩\nnotation "x" y => y + 1\n#check Nat\n'
    ),
    "a monad without macros": "instance : Monad Id := ⟨⟩\n#eval half 3\n",
    "a macro that quotes": 'macro "x" : term => `(1)\ntheorem f : x = 1 := rfl\n',
    "a macro with parts": 'macro "x" y:term : term => `($y + $(y) + 1)\n#check Nat\n',
    "cases of a macro": "macro_rules\n  | `(a) => `(b)\n  | `(c) => `(d)\n#check Nat\n",
    "an arrow in a pattern": "macro_rules | `(a => $x) => `(b $x)\n\nopen Nat\n",
    "an arrow as a token": 'macro a:term " => " b:term : term => `($a + $b)\n\nend\n',
    "an attribute that is noted": "attribute [local simp] a\nattribute [csimp] b\n",
    "notation": 'local notation "half_of " n => n / 2\n',
    "a comment behind an odd token": 'notation "a-" => 1\ndef x := 3 -- fine, no axiom\n',
    "attributes": (
        "attribute [local instance] foo\nattribute [-simp] bar\n"
        '@[simp ↓, grind =, deprecated foo (since := "2")] def x := 1'
    ),
    "a tactic that quotes": 'elab "f" : tactic => do evalTactic (← `(tactic| omega))\ndef x := 1',
    "a type named as one of IO's": "structure Process where\n  n : Nat\n#eval half 3\n",
    "printing": "def main : IO Unit := IO.println (half 3)\n#eval main\n",
    "unsafe code where nothing runs": "unsafe def f := 1\n#check half 3\n",
    "a subtype": "def f : {n : Int //-1 < n} := ⟨0, by decide⟩\n#eval f\n",
    "a negative number behind an arrow": "def f : Id Int := do let x <--1; return x -- elab\n",
    "comments behind brackets": "def f (n : Nat)-- elab\n  := [n,/- run_cmd -/1]-- macro\n",
    "numbers": "def f := 0x1F + 0b1 + 1_000 + (1, 2).1 + 1e5.toUInt64.toNat + 2.5e-3.floor\n",
    "a range": "def f (start stop : Nat) := [start:stop]\n#eval f 1 (stop := 2)\n",
    "what is told of a value": "/-- info: 3 -/\n#guard_msgs (info) in #eval half 6\n",
    "foreign code that nothing runs": '@[extern "f"] def f (n : Nat) := n\n',
    "words in texts and comments": '/- elab run_cmd -/ def s := "elab #eval unsafeIO"\n#eval s\n',
    "a raw text": 'def s := r#"elab "x" "#\n#eval s\n',
    "an array": "def f (xs : Array Nat) := xs ++ #[1, 2]\n",
    "settings": "example : f 1 = 1 := by simp (config := { maxSteps := 3 }) [f (n := 1)]\n",
}
MEDDLING = {
    "a command": ('elab "x" : command => do modifyEnv id', "elab"),
    "rules of elaboration": ("elab_rules : command | `(x) => pure ()", "elab_rules"),
    "a tactic that does more": (
        'elab "f" : tactic => do evalTactic (← `(tactic| omega)); evil',
        "elab",
    ),
    "a call of one's own": (
        'def evalTactic := 3\nelab "f" : tactic => do evalTactic (← `(tactic| omega))\ndef x := 1',
        "evalTactic",
    ),
    "a macro that computes": ('macro "x" : term => do return (← `(1))', "macro"),
    "a macro with a part of its own": ('macro "x" : term => `(1) where evil := 3', "macro"),
    "a macro that splices what it computes": ('macro "x" y:term : term => `($(evil y))', "macro"),
    "a macro that splices what is computed elsewhere": (
        'def evil : Lean.Term := f\nmacro (name := evil) "x" y:term : term => `($y + $evil)',
        "macro",
    ),
    "a macro that splices what is computed under an odd name": (
        'def y₁ : Lean.Term := f\nmacro "x" y:term : term => `($y₁)',
        "macro",
    ),
    "a case that splices what is computed elsewhere": (
        "def evil : Lean.Term := f\nmacro_rules | `(a $x) => `($x + $evil)",
        "macro_rules",
    ),
    "a binder that computes": ('binder_predicate x " ≻ " y:term => do evil', "binder_predicate"),
    "notation that computes": ('notation "foo" => $(evil)', "notation"),
    "an operator that computes": ('infixl:65 " ⊹ " => $evil', "infixl"),
    "a macro whose parts are coerced": (
        'instance : Coe (TSyntax `ident) (TSyntax `num) := evil\nmacro "x" y:ident : term => `($y)',
        "Coe",
    ),
    "notation in a monad of one's own": (
        'instance : Monad (ReaderT c m) := evil\nnotation "x" => 1',
        "Monad",
    ),
    "a macro that may run foreign code": (
        '@[extern "f"] def f := 1\nmacro "x" : term => `(1)\ndef g := 1',
        "extern",
    ),
    "a parser that computes": (
        'def evil : Lean.ParserDescr := .symbol f\nsyntax "x" evil : term',
        "Lean.ParserDescr",
    ),
    "code for while compiling": ("meta def evil := 1", "meta"),
    "suggestions that compute": ("set_library_suggestions evil", "set_library_suggestions"),
    "a name of Lean's own": (
        "def Lean.saveModuleData (s : String) : IO Unit := f\n#eval Lean.saveModuleData s",
        "Lean.saveModuleData",
    ),
    "a name in a space of Lean's own": ("namespace Std.X\ndef f := 1\n#eval f", "Std.X"),
    "a name of Lean's own that a macro declares": (
        'macro "x" y:ident : command => `(def $y := 1)\nopen Nat\nx Lean.f\n#eval Lean.f',
        "Lean.f",
    ),
    "a name that may be any": ("public def List.toSSet := 1\n#eval f", "public"),
    "a second case that computes": ("macro_rules | `(a) => `(b) | `(c) => evil", "macro_rules"),
    "an attribute": ("@[simp, term_elab foo] def x := 1", "@[term_elab]"),
    "an attribute that is spliced": ("attribute [$a] foo", "@[$]"),
    "an attribute that is noted nowhere": ("attribute [simp, local csimp] foo", "@[local csimp]"),
    "an attribute's syntax": ('syntax "foo" : attr', "attr"),
    "a simplifier's procedure": ("simproc f (g _) := fun e => evil e", "simproc"),
    "files": ('open IO in\n#eval FS.writeFile "a" "b"', "FS.writeFile"),
    "an exit": ("#eval (IO.Process.exit 0 : IO Unit)", "IO.Process.exit"),
    "the compiler's own functions": ("import Lean\n#eval Lean.modifyEnv id", "Lean.modifyEnv"),
    "code in a text": ('#eval s!"{unsafeIO x}"', "unsafeIO"),
    "a name in quotes": ("#eval «unsafeIO» x", "«unsafeIO»"),
    "settings that are computed": (
        "example : True := by simp (config := { maxSteps := unsafeIO 3 })",
        "unsafeIO",
    ),
    "compiled decisions": ('@[extern "f"] def f := 1\nexample : p := by native_decide', "extern"),
    "behind an arrow that is a token": (
        'syntax "foo" "=>" term "open" : term\nmacro_rules | `(foo => `(y) open) => evil',
        "macro_rules",
    ),
    "behind a parenthesis that is a token": (
        'syntax "x)" "=>" term "open" : term\nmacro_rules | `(x) => `(y) open) => evil',
        "macro_rules",
    ),
    "behind a letter": ("def c := '\"'\n#eval unsafeIO -- \"", "unsafeIO"),
    "behind an odd letter": ("def c := '\\''\n#eval unsafeIO", "unsafeIO"),
    "behind a token that looks like a comment": (
        'notation "a-" => 1\ndef x := a-- elab "x" : command => evil',
        "elab",
    ),
    "behind a token that opens a text": (
        'notation "q\\"" => 1\ndef x := q" run_cmd evil "',
        "run_cmd",
    ),
    "behind a subtype": ("def f := {n : Int //-1 < n} run_cmd evil", "run_cmd"),
    "behind a negative number": (
        "def f : Id Int := do let x <--1; return x run_cmd evil",
        "run_cmd",
    ),
    "behind a symbol that may go on": ("def f := x %-- 1 run_cmd evil", "%--"),
    "behind a word that ends like a raw text": (
        'syntax αr"x" " run_cmd evil "',
        'αr"',
    ),
    "behind a word that ends like a letter": ('syntax α\'"\' " run_cmd evil "', "α'\""),
    "glued to a number": ("def f := 0x1Frun_cmd evil", "0x1Frun_cmd"),
    "glued to a number's digits": ("def f := 1_0run_cmd evil", "1_0run_cmd"),
    "glued to one that shows": ("#whererun_cmd evil", "#whererun_cmd"),
    "an attribute glued to a command": (
        "#versionattribute [local csimp] foo",
        "#versionattribute",
    ),
    "glued to a sign": ('postfix:max "#" => id\ndef f := 1#run_cmd evil', "#run_cmd"),
    "glued to a command": ('#evalIO.FS.writeFile "a" "b"', "#evalIO.FS.writeFile"),
    "an attribute behind a token that looks like a comment": (
        'notation "a-" => 1\ndef x := a-- @[term_elab foo] def evil := 1',
        "term_elab",
    ),
    "code between texts in a text": ('#eval s!"{f "x" ++ unsafeIO ++ "y"}"', "unsafeIO"),
    "code behind a brace that is none": ('#eval s!"}}{f "x" unsafeIO y}"', "unsafeIO"),
    "code behind a brace that is a letter": ('#eval s!"{f \'}\' "x" unsafeIO y}"', "unsafeIO"),
    "code behind a brace in a comment": ('#eval s!"{f /- } -/ "x" unsafeIO y}"', "unsafeIO"),
    "names of types that are not theirs": ("#eval (@Dynamic.mk Nat (.mk Nat `x) 1)", "Dynamic.mk"),
    "an equation whose proof is left out": (
        "set_option debug.proofAsSorry true\ntheorem h : Nat = Bool := by rfl\n#eval! cast h 5",
        "debug.proofAsSorry",
    ),
    "an equation whose tactic is left out": (
        "set_option debug.terminalTacticsAsSorry true\n#eval! cast (by omega) 5",
        "debug.terminalTacticsAsSorry",
    ),
    "an equation that is an axiom": (
        "axiom h : Nat = Bool\ndef f := cast h 5\n#eval f",
        "axiom",
    ),
    "an equation with a gap": ("theorem h : Nat = Bool := by sorry\n#eval! cast h 5", "sorry"),
    "an equation that proves itself": ("unsafe def h : Nat = Bool := h\n#eval cast h 5", "unsafe"),
    "an equation whose errors are not told": (
        "#guard_msgs (drop all) in\ntheorem h : Nat = Bool := rfl\n#eval! cast h 5",
        "#guard_msgs",
    ),
    "an equation that is cut off": ("theorem h : Nat = Bool := by\n  stop rfl\n#eval! 1", "stop"),
    "an equation that no kernel checks": (
        "set_option debug.skipKernelTC true in\ntheorem h : p := by decide +kernel\n#eval 1",
        "debug.skipKernelTC",
    ),
    "an equation that code decides": (
        "@[implemented_by g] def f := false\ntheorem h : f = true := by native_decide",
        "implemented_by",
    ),
    "code in a comment": (
        'set_option doc.verso true\n/--\n```lean\n#eval IO.FS.writeFile "a" "b"\n```\n-/\n',
        "doc.verso",
    ),
    "code in comments on what there is": ("docs_to_verso f", "docs_to_verso"),
    "glued to a letter that is none": ('notation "я" => 1\n#eval яunsafeIO', "unsafeIO"),
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_sources_do_not_meddle(source):
    assert meddling_word(source) is None


@pytest.mark.parametrize(("source", "word"), MEDDLING.values(), ids=MEDDLING)
def test_meddling_sources_are_found(source, word):
    assert meddling_word(source) == word


def test_no_honest_case_meddles():
    for path in sorted(CASES.glob("honest/*.lean")):
        assert meddling_word(read(path)) is None, path.stem


def test_what_a_challenge_brings_may_run():
    """As far as the submission begins like it; the same words behind that count again."""
    challenge = 'elab "x" : tactic => do evil\n\ndef half (n : Nat) : Nat := sorry\n'
    given = challenge.replace("sorry", "n / 2")
    assert meddling_word(given) == "elab"
    assert meddling_word(given, challenge) is None
    assert meddling_word(given + 'elab "y" : tactic => do evil\n', challenge) == "elab"
    assert meddling_word("def evil := 1\n" + given, challenge) == "elab"


def test_what_a_challenge_opens_gives_power_to_what_is_evaluated_behind():
    for opened, evil, word in (
        ("open IO", '#eval FS.writeFile "a" "b"', "FS.writeFile"),
        ("open IO FS", '#eval writeFile "a" "b"', "#eval"),
        ("import Lean\nopen Lean Elab Command", "#eval (evil : CommandElabM Unit)", "#eval"),
    ):
        challenge = f"{opened}\ndef half (n : Nat) : Nat := sorry\n"
        given = challenge.replace("sorry", "n / 2")
        assert meddling_word(given, challenge) is None
        assert meddling_word(f"{given}{evil}\n", challenge) == word


def test_where_a_challenge_lets_comments_hold_code_they_count():
    challenge = "set_option doc.verso true\ndef half (n : Nat) : Nat := sorry\n"
    given = challenge.replace("sorry", "n / 2")
    assert meddling_word(f"{given}/-- As it should be. -/\ndef f := 1\n", challenge) is None
    evil = '/--\n```lean\n#eval IO.FS.writeFile "a" "b"\n```\n-/\ndef f := 1\n'
    assert meddling_word(given + evil, challenge) == "IO.FS.writeFile"


def test_where_a_challenge_makes_it_doubtful_what_a_comment_is_nothing_passes():
    challenge = "def f := x %/- 1\ndef half (n : Nat) : Nat := sorry\n"
    assert meddling_word(challenge.replace("sorry", "1"), challenge) == "%/-"


def test_every_source_has_an_end():
    for source in (
        "",
        "/-",
        '"',
        "'",
        "«",
        'r#"',
        "`(",
        "macro",
        "elab =>",
        "@[",
        "attribute [",
        "$(",
    ):
        assert list(tokens(source)) is not None
        meddling_word(source)
        meddling_word(source * 50)


@pytest.mark.parametrize(
    "piece",
    [
        "macro ",
        "macro => `(",
        "macro_rules | x => `(y) | ",
        "@[simp ",
        "$(",
        "« ",
        "'\\x",
        "/- ",
        'r#"',
    ],
)
def test_reading_takes_time_in_proportion_to_the_source(piece):
    start = time.process_time()
    meddling_word(piece * (300_000 // len(piece)))
    meddling_word(piece * (300_000 // len(piece)) + "=> `(1)\ndef f := 1")
    assert time.process_time() - start < 20  # two seconds; it were hours by the square
