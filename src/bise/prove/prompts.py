"""What a model is told. Short, and the same for every model."""

from bise.evals.lean.tasks import TACTICS as TACTICS  # what the skill `lean` is trained on

SYSTEM = """\
You prove theorems in Lean 4, core library only: no Mathlib. You work on one file. It has gaps, \
written `sorry`; fill them all. Write only in the gaps, and helper lemmas before the declaration \
that needs them. Statements and given definitions stay as they are, to the letter. Not allowed: \
axioms, `native_decide`, `partial`, `unsafe`, `implemented_by`, options that switch checks off. \
Definitions you give must compute. An independent judge compiles the file, compares every \
statement and shows every declaration to a fresh kernel: only what it accepts counts."""

AGENT = """\
Use the tools. Look before you edit; check after every edit; do one thing at a time. Prefer \
`grind`, `simp_all`, `omega`, `induction … with`, `fun_induction`. `try_many` tries several \
tactics at one gap at the price of one. When everything is filled and `check` is content, call \
`verify`."""

WHOLE_FILE = """\
Answer with the whole file, complete, in one block that begins with ```lean and ends with ```."""

REPAIR = """\
Lean says:

{feedback}

Answer with the whole corrected file in one block."""

NO_TOOL = "Go on with the tools; the work is done when `verify` accepts the file."

STALLED = """\
{count} checks have brought no progress at this place. What has been tried:

{memory}

Change your strategy: another induction, a stronger statement as a lemma, a different case split. \
Do not repeat what is listed."""

SKETCH = """\
Still no progress. Now write a sketch: state the helper lemmas you would like to have before the \
declaration, each with `sorry` as its proof, and prove the declaration from them, so that `check` \
has no error and only the lemmas are open. They are then worked on one by one. Make sure that each \
is true: try small cases first."""

FOCUS = """\
Work on `{name}` now, the gap in line {line}; leave other gaps as they are.

{goal}"""

RESUMED = """\
This is the file as it stands; earlier parts of the conversation were dropped to make room.

{outline}

What has been tried, and failed:

{memory}"""

DISPROVE = """\
It may be false as stated. Prove that the statement of `{name}` is false: put the theorem \
`{negation}`, of type `¬ (the statement, word for word)`, at the end of the file, and prove it. \
Look for the smallest counterexample; `decide` and `simp` evaluate small cases."""

SPECIFY = """\
Write a specification in Lean 4, core library only: the signature of the function with `sorry` as \
its body, any definitions its specification needs, and theorems that say exactly what it must do, \
each with `sorry` as its proof. No implementation, no imports, one namespace. The theorems \
together must leave no wrong implementation: think of empty input, duplicates, order. Answer with \
the file in one block that begins with ```lean and ends with ```.

Wanted: {wanted}"""
