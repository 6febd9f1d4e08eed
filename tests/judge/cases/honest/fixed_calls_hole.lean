def half (n : Nat) : Nat := n / 2
def quarter (n : Nat) : Nat := half (half n)
theorem t (n : Nat) : quarter (4 * n) = n := by unfold quarter half; omega
