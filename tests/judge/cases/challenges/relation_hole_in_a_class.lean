structure Key where
  id : Nat

instance : LE Key := sorry

theorem key_le (a : Key) : a ≤ a := sorry
