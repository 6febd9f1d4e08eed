def half (n : Nat) : Nat := sorry
def quarter (n : Nat) : Nat := half (half n)
theorem t (n : Nat) : quarter (4 * n) = n := sorry
