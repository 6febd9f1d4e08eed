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

theorem adder_halts (a b : Nat) : Halts adder ⟨0, a, b⟩ ⟨3, 0, a + b⟩ := sorry

theorem halts_unique (p : List Instr) (s t u : State) (h1 : Halts p s t) (h2 : Halts p s u) :
    t = u := sorry

theorem spinner_never_halts (a b : Nat) (t : State) : ¬ Halts spinner ⟨0, a, b⟩ t := sorry

end CounterMachine
