def f : Nat → Nat
  | n => sorry
theorem t (n : Nat) : f n = n := sorry
