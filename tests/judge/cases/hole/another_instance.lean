structure Key where
  id : Nat
  note : String

instance keyBEq' : BEq Key where
  beq a b := a.id == b.id

theorem key_refl (k : Key) : (k == k) = true := by simp [BEq.beq]

theorem key_id (a b : Key) (h : (a == b) = true) : a.id = b.id := by
  simpa [BEq.beq] using h
