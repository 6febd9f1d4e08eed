namespace JumpCompiler

inductive Expr where
  | num : Int → Expr
  | var : Nat → Expr
  | add : Expr → Expr → Expr
  | less : Expr → Expr → Expr
  | cond : Expr → Expr → Expr → Expr

/-- `cond` takes its third part if the first is zero. -/
def eval (env : Nat → Int) : Expr → Int
  | .num n => n
  | .var x => env x
  | .add a b => eval env a + eval env b
  | .less a b => if eval env a < eval env b then 1 else 0
  | .cond c a b => if eval env c = 0 then eval env b else eval env a

inductive Instr where
  | push : Int → Instr
  | load : Nat → Instr
  | add : Instr
  | less : Instr
  | jump : Nat → Instr
  | jumpIfZero : Nat → Instr

/-- One step from a place in the code and a stack; jumps skip a number of instructions. -/
def step (env : Nat → Int) (code : List Instr) : Nat × List Int → Option (Nat × List Int)
  | (pc, stack) =>
    match code[pc]?, stack with
    | some (.push n), st => some (pc + 1, n :: st)
    | some (.load x), st => some (pc + 1, env x :: st)
    | some .add, y :: x :: st => some (pc + 1, (x + y) :: st)
    | some .less, y :: x :: st => some (pc + 1, (if x < y then 1 else 0) :: st)
    | some (.jump k), st => some (pc + 1 + k, st)
    | some (.jumpIfZero k), x :: st => some (if x = 0 then pc + 1 + k else pc + 1, st)
    | _, _ => none

inductive Steps (env : Nat → Int) (code : List Instr) :
    Nat × List Int → Nat × List Int → Prop where
  | refl (s) : Steps env code s s
  | step {s t u} : step env code s = some t → Steps env code t u → Steps env code s u

def translate : Expr → List Instr
  | .num n => [.push n]
  | .var x => [.load x]
  | .add a b => translate a ++ (translate b ++ [.add])
  | .less a b => translate a ++ (translate b ++ [.less])
  | .cond c a b =>
    translate c ++ (.jumpIfZero ((translate a).length + 1) ::
      (translate a ++ (.jump (translate b).length :: translate b)))

def compile (e : Expr) : List Instr := translate e

theorem Steps.trans {env : Nat → Int} {code : List Instr} {s t u : Nat × List Int}
    (h1 : Steps env code s t) (h2 : Steps env code t u) : Steps env code s u := by
  induction h1 with
  | refl s => exact h2
  | step h _ ih => exact .step h (ih h2)

theorem Steps.one {env : Nat → Int} {code : List Instr} {s t : Nat × List Int}
    (h : JumpCompiler.step env code s = some t) : Steps env code s t := .step h (.refl t)

theorem Steps.to {env : Nat → Int} {code : List Instr} {s : Nat × List Int} {p q : Nat}
    {st : List Int} (h : Steps env code s (p, st)) (e : p = q) : Steps env code s (q, st) := e ▸ h

def At (code : List Instr) (pc : Nat) (part : List Instr) : Prop :=
  ∀ i, i < part.length → code[pc + i]? = part[i]?

theorem At.head {code : List Instr} {pc : Nat} {i : Instr} {part : List Instr}
    (h : At code pc (i :: part)) : code[pc]? = some i := by
  simpa using h 0 (by simp)

theorem At.tail {code : List Instr} {pc : Nat} {i : Instr} {part : List Instr}
    (h : At code pc (i :: part)) : At code (pc + 1) part := by
  intro j hj
  have := h (j + 1) (by simpa using hj)
  rw [show pc + 1 + j = pc + (j + 1) by omega, this]
  simp

theorem At.left {code : List Instr} {pc : Nat} {a b : List Instr} (h : At code pc (a ++ b)) :
    At code pc a := by
  intro j hj
  rw [h j (by rw [List.length_append]; omega), List.getElem?_append_left hj]

theorem At.right {code : List Instr} {pc : Nat} {a b : List Instr} (h : At code pc (a ++ b)) :
    At code (pc + a.length) b := by
  intro j hj
  have := h (a.length + j) (by rw [List.length_append]; omega)
  rw [show pc + a.length + j = pc + (a.length + j) by omega, this,
    List.getElem?_append_right (by omega)]
  congr 1
  omega

theorem translate_at (env : Nat → Int) (code : List Instr) (e : Expr) (pc : Nat) (st : List Int)
    (h : At code pc (translate e)) :
    Steps env code (pc, st) (pc + (translate e).length, eval env e :: st) := by
  induction e generalizing pc st with
  | num n => exact .one (by simp [step, h.head, translate, eval])
  | var x => exact .one (by simp [step, h.head, translate, eval])
  | add a b iha ihb =>
    have last := h.right.right.head
    refine (iha pc st h.left).trans ((ihb _ _ h.right.left).trans ?_)
    refine (Steps.one ?_).to (p := pc + (translate a).length + (translate b).length + 1) ?_
    · simp [step, last, eval]
    · simp [translate]
      omega
  | less a b iha ihb =>
    have last := h.right.right.head
    refine (iha pc st h.left).trans ((ihb _ _ h.right.left).trans ?_)
    refine (Steps.one ?_).to (p := pc + (translate a).length + (translate b).length + 1) ?_
    · simp [step, last, eval]
    · simp [translate]
      omega
  | cond c a b ihc iha ihb =>
    have test := h.right.head
    have first := h.right.tail.left
    have skip := h.right.tail.right.head
    have second := h.right.tail.right.tail
    refine (ihc pc st h.left).trans ?_
    by_cases zero : eval env c = 0
    · refine Steps.step (t := (pc + (translate c).length + 1 + (translate a).length + 1, st)) ?_ ?_
      · simp [step, test, zero]
        omega
      · have run := ihb _ st second
        simp only [eval, zero, if_true]
        refine run.to ?_
        simp [translate]
        omega
    · refine Steps.step (t := (pc + (translate c).length + 1, st)) ?_ ?_
      · simp [step, test, zero]
      · refine (iha _ st first).trans ?_
        refine (Steps.one ?_).to (p := pc + (translate c).length + 1 + (translate a).length + 1 +
          (translate b).length) ?_
        · simp [step, skip, eval, zero]
        · simp [translate]
          omega

theorem compile_correct (env : Nat → Int) (e : Expr) (st : List Int) :
    Steps env (compile e) (0, st) ((compile e).length, eval env e :: st) := by
  have := translate_at env (translate e) e 0 st (fun i _ => by rw [Nat.zero_add])
  rwa [Nat.zero_add] at this

theorem compile_only (env : Nat → Int) (e : Expr) (st : List Int) (s : Nat × List Int)
    (run : Steps env (compile e) (0, st) s) (ends : step env (compile e) s = none) :
    s = ((compile e).length, eval env e :: st) := by
  have stuck : step env (compile e) ((compile e).length, eval env e :: st) = none := by
    simp [step]
  have right := compile_correct env e st
  revert stuck right run
  generalize ((compile e).length, eval env e :: st) = t
  generalize (0, st) = start
  intro run stuck right
  induction run with
  | refl s =>
    cases right with
    | refl => rfl
    | step h _ => rw [ends] at h; cases h
  | step h _ ih =>
    cases right with
    | refl => rw [stuck] at h; cases h
    | step h' r =>
      rw [h] at h'
      cases h'
      exact ih ends r

end JumpCompiler
