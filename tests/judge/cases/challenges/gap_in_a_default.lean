structure P where
  x : Nat := sorry

theorem p (a : P) : a.x = a.x := sorry
