structure Key where
  id : Nat
  note : String

instance keyBEq : BEq Key := sorry

theorem key_refl (k : Key) : (k == k) = true := sorry

theorem key_id (a b : Key) (h : (a == b) = true) : a.id = b.id := sorry
