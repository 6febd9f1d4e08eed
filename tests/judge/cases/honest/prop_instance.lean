structure Key where
  id : Nat

theorem Key.eq_of {a b : Key} (h : a.id = b.id) : a = b := by cases a; cases b; simp_all

instance : BEq Key := ⟨fun a b => a.id == b.id⟩

instance : LawfulBEq Key where
  eq_of_beq {a b} h := Key.eq_of (by simpa [BEq.beq] using h)
  rfl {a} := by simp [BEq.beq]

theorem key_eq (a b : Key) (h : a == b) : a = b := LawfulBEq.eq_of_beq h
