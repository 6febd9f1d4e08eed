namespace StackProgram

inductive Instr where
  | push : Int → Instr
  | drop : Instr
  | dup : Instr
  | swap : Instr
  | add : Instr
  | ifZero : List Int → Instr

/-- `ifZero ns` takes a number off the stack and pushes `ns` if it was zero. -/
def step : Instr → List Int → Option (List Int)
  | .push n, st => some (n :: st)
  | .drop, _ :: st => some st
  | .dup, x :: st => some (x :: x :: st)
  | .swap, x :: y :: st => some (y :: x :: st)
  | .add, x :: y :: st => some ((x + y) :: st)
  | .ifZero ns, x :: st => some (if x = 0 then ns ++ st else st)
  | _, _ => none

def run : List Instr → List Int → Option (List Int)
  | [], st => some st
  | i :: is, st => (step i st).bind (run is)

theorem run_append (p q : List Instr) (st : List Int) :
    run (p ++ q) st = (run p st).bind (run q) := by
  induction p generalizing st with
  | nil => rfl
  | cons i p ih =>
    simp only [List.cons_append, run]
    cases step i st with
    | none => rfl
    | some st' => exact ih st'

theorem run_frame (p : List Instr) (st st' below : List Int) (h : run p st = some st') :
    run p (st ++ below) = some (st' ++ below) := by
  have one : ∀ i st st', step i st = some st' → step i (st ++ below) = some (st' ++ below) := by
    intro i st st' h
    unfold step at h
    split at h <;> cases h <;> simp [step]
    split <;> simp
  induction p generalizing st with
  | nil =>
    cases h
    rfl
  | cons i p ih =>
    simp only [run] at h ⊢
    cases hs : step i st with
    | none => rw [hs] at h; cases h
    | some mid =>
      rw [hs] at h
      rw [one i st mid hs]
      exact ih mid h

end StackProgram
