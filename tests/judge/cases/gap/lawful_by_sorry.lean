structure Key where
  id : Nat

instance : BEq Key := ⟨fun a b => a.id == b.id⟩

instance : LawfulBEq Key := sorry

theorem key_eq (a b : Key) (h : a == b) : a = b := by
  cases a; cases b; simp_all [BEq.beq]
