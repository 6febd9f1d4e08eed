structure Key where
  id : Nat
  deriving DecidableEq

instance : BEq Key := ⟨fun a b => decide (a = b)⟩

instance : LawfulBEq Key where
  eq_of_beq {a b} h := by simpa [BEq.beq] using h
  rfl {a} := by simp [BEq.beq]

theorem key_eq (a b : Key) (h : a == b) : a = b := LawfulBEq.eq_of_beq h
