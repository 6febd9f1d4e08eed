def f (n : Nat) : Nat := go n
where
  go (n : Nat) : Nat := sorry

theorem f_zero : f 0 = 1 := sorry
