structure Key where
  id : Nat
  note : String

def never (_ _ : Key) : Bool := false

@[implemented_by never] def sameId (a b : Key) : Bool := a.id == b.id

instance keyBEq : BEq Key := ⟨sameId⟩

theorem key_refl (k : Key) : (k == k) = true := by simp [BEq.beq, sameId]

theorem key_id (a b : Key) (h : (a == b) = true) : a.id = b.id := by
  simpa [BEq.beq, sameId] using h
