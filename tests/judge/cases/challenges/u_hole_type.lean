def f (n : Nat) : Fin (sorry) := sorry
theorem t (n : Nat) : f n = f n := sorry
