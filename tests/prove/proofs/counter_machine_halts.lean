namespace CounterMachine

inductive Instr where
  | inc : Bool → Instr
  | dec : Bool → Nat → Instr
  | jump : Nat → Instr

structure State where
  pc : Nat
  a : Nat
  b : Nat

/-- `inc false` and `dec false` are about counter `a`, the others about `b`; `dec` jumps at zero. -/
def step (p : List Instr) (s : State) : Option State :=
  match p[s.pc]? with
  | none => none
  | some (.inc false) => some ⟨s.pc + 1, s.a + 1, s.b⟩
  | some (.inc true) => some ⟨s.pc + 1, s.a, s.b + 1⟩
  | some (.dec false t) =>
    if s.a = 0 then some ⟨t, s.a, s.b⟩ else some ⟨s.pc + 1, s.a - 1, s.b⟩
  | some (.dec true t) =>
    if s.b = 0 then some ⟨t, s.a, s.b⟩ else some ⟨s.pc + 1, s.a, s.b - 1⟩
  | some (.jump t) => some ⟨t, s.a, s.b⟩

inductive Reaches (p : List Instr) : State → State → Prop where
  | refl (s) : Reaches p s s
  | step {s t u} : step p s = some t → Reaches p t u → Reaches p s u

def Halts (p : List Instr) (s t : State) : Prop := Reaches p s t ∧ step p t = none

def adder : List Instr := [.dec false 3, .inc true, .jump 0]

def spinner : List Instr := [.inc true, .dec false 0, .jump 0]

theorem adder_halts (a b : Nat) : Halts adder ⟨0, a, b⟩ ⟨3, 0, a + b⟩ := by
  refine ⟨?_, rfl⟩
  induction a generalizing b with
  | zero =>
    rw [Nat.zero_add]
    exact .step rfl (.refl _)
  | succ a ih =>
    have := ih (b + 1)
    rw [show a + (b + 1) = a + 1 + b by omega] at this
    exact .step rfl (.step rfl (.step rfl this))

theorem halts_unique (p : List Instr) (s t u : State) (h1 : Halts p s t) (h2 : Halts p s u) :
    t = u := by
  obtain ⟨r1, e1⟩ := h1
  obtain ⟨r2, e2⟩ := h2
  induction r1 with
  | refl s =>
    cases r2 with
    | refl => rfl
    | step h _ => rw [e1] at h; cases h
  | step h _ ih =>
    cases r2 with
    | refl => rw [e2] at h; cases h
    | step h' r =>
      rw [h] at h'
      cases h'
      exact ih e1 r

theorem spinner_never_halts (a b : Nat) (t : State) : ¬ Halts spinner ⟨0, a, b⟩ t := by
  have next : ∀ s : State, s.pc < 3 → ∃ t, step spinner s = some t ∧ t.pc < 3 := by
    intro ⟨pc, a, b⟩ h
    have : pc = 0 ∨ pc = 1 ∨ pc = 2 := by
      simp only at h
      omega
    rcases this with rfl | rfl | rfl
    · exact ⟨_, rfl, by simp⟩
    · by_cases z : a = 0
      · exact ⟨_, if_pos z, by simp⟩
      · exact ⟨_, if_neg z, by simp⟩
    · exact ⟨_, rfl, by simp⟩
  have inside : ∀ s t, Reaches spinner s t → s.pc < 3 → t.pc < 3 := by
    intro s t r
    induction r with
    | refl => exact id
    | step h _ ih =>
      intro hs
      obtain ⟨t', e, ht⟩ := next _ hs
      rw [h] at e
      cases e
      exact ih ht
  intro ⟨r, e⟩
  obtain ⟨t', e', _⟩ := next _ (inside _ _ r (by simp))
  rw [e] at e'
  cases e'

end CounterMachine
